/** `node test/containers/lab/main.ts`: a lab to play with, until Ctrl-C; `... main.ts FOLDER`: removes what a killed test left. */
import { rmSync } from 'node:fs';
import { ContainerLab } from './container-lab.ts';
import { bridgeOf, killAll, removeCgroups, unmountAll } from './leftovers.ts';
import { runCommand } from './run-command.ts';

const [left] = process.argv.slice(2);
if (left !== undefined) {
  killAll(left);
  await unmountAll(left);
  removeCgroups([]);
  await runCommand(['ip', 'link', 'del', bridgeOf(left)]).catch(() => undefined);
  rmSync(left, { recursive: true, force: true });
  process.exit();
}

const lab = await ContainerLab.up();
console.log(`lab in ${lab.folder}; options of a server that sees it:\n${lab.serverArgs().join(' ')}`);
console.log(`image: ${lab.images.tools.name}`);
await new Promise((resolve) => {
  process.once('SIGINT', resolve);
  process.once('SIGTERM', resolve);
  // Pending promises alone do not keep a process.
  setInterval(() => undefined, 60_000);
});
await lab.down();
process.exit();
