/** `node test/containers/lab/main.ts`: a lab to play with, until Ctrl-C. */
import { ContainerLab } from './container-lab.ts';

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
