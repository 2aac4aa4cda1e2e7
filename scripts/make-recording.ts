/**
 * Makes docs/images/strata.svg: what the commands below print on a terminal, as a picture. Run it again when they change,
 * as root, for the first one captures this machine:
 *
 *   node scripts/make-recording.ts
 */
import { execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const OUT = fileURLToPath(new URL('../docs/images/strata.svg', import.meta.url));

/** Arguments as one would type them; each is shown behind a prompt. */
const COMMANDS: readonly string[] = [
  "events 'fd.name = /etc/shadow' -n 4 -p '%evt.time %user.name: %proc.cmdline (by %proc.pname): %evt.type %evt.res'",
  "replay quick-start 'user.name = demouser and evt.type in (write, procexit)'",
  "replay quick-start 'evt.res = EACCES' --json --fields evt.num,thread.tid,proc.name,proc.aname[2],fd.name",
  'get thread 4089 --event 3642 -c quick-start | head -n 8',
];

/** What happens on the machine while the first command watches. */
const BESIDE =
  'for i in 1 2 3 4 5 6; do sleep 1; setpriv --reuid 65534 --clear-groups cat /etc/shadow; head -c 1 /etc/shadow; done';

const COLUMNS = 124;
const CHAR_WIDTH = 7.8;
const LINE_HEIGHT = 18;
const MARGIN = 16;
const TITLE_HEIGHT = 30;

/** Colours by the number of the escape sequence that turns them on. */
const COLORS: Readonly<Record<string, string>> = {
  '1': '#ffffff',
  '2': '#7d8590',
  '31': '#ff7b72',
  '32': '#7ee787',
  '35': '#d2a8ff',
  '36': '#79c0ff',
};
const FOREGROUND = '#d1d7e0';

/** What the command prints on a terminal, escape sequences included. */
function runOnTerminal(line: string): string {
  const beside = line.startsWith('events') ? spawn('sh', ['-c', BESIDE], { stdio: 'ignore' }) : undefined;
  const command = `stty cols ${COLUMNS}; node client/cli/main.ts ${line}`;
  const output = execFileSync('script', ['-qec', command, '/dev/null'], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '', TERM: 'xterm-256color', STRATA_TARGET: '' },
  });
  beside?.kill();
  return output.replaceAll('\r\n', '\n').replace(/\n$/, '');
}

interface Span {
  readonly text: string;
  readonly color: string;
}

/** Breaks a line with escape sequences into pieces of one colour, and at the terminal's width into lines. */
function toSpans(line: string): Span[][] {
  const lines: Span[][] = [[]];
  let column = 0;
  let color = FOREGROUND;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences start with one.
  for (const part of line.split(/(\x1b\[\d+m)/)) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences start with one.
    const code = /^\x1b\[(\d+)m$/.exec(part)?.[1];
    if (code !== undefined) {
      color = COLORS[code] ?? FOREGROUND;
      continue;
    }
    for (let rest = part; rest !== ''; ) {
      if (column === COLUMNS) {
        lines.push([]);
        column = 0;
      }
      const text = rest.slice(0, COLUMNS - column);
      lines.at(-1)?.push({ text, color });
      column += text.length;
      rest = rest.slice(text.length);
    }
  }
  return lines;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function svgLine(spans: readonly Span[], index: number): string {
  const y = TITLE_HEIGHT + MARGIN + (index + 0.75) * LINE_HEIGHT;
  let column = 0;
  const parts = spans.map(({ text, color }) => {
    const x = (MARGIN + column * CHAR_WIDTH).toFixed(1);
    column += text.length;
    // The length is fixed so that columns stay aligned whatever font the viewer has.
    const length = (text.length * CHAR_WIDTH).toFixed(1);
    return `<tspan x="${x}" textLength="${length}" lengthAdjust="spacingAndGlyphs" fill="${color}">${escapeXml(text)}</tspan>`;
  });
  return `<text y="${y.toFixed(1)}" xml:space="preserve">${parts.join('')}</text>`;
}

function picture(lines: readonly Span[][]): string {
  const width = Math.ceil(COLUMNS * CHAR_WIDTH + 2 * MARGIN);
  const height = TITLE_HEIGHT + lines.length * LINE_HEIGHT + 2 * MARGIN;
  const dots = ['#ff5f57', '#febc2e', '#28c840'].map(
    (color, i) => `<circle cx="${20 + i * 20}" cy="16" r="6" fill="${color}"/>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="strata prints enriched events and the state of a thread at an event">
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
${dots.join('')}
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13">
${lines.map(svgLine).join('\n')}
</g>
</svg>
`;
}

const lines: Span[][] = [];
for (const [index, command] of COMMANDS.entries()) {
  if (index > 0) lines.push([]);
  lines.push(...toSpans(`\x1b[32m$\x1b[0m \x1b[1mstrata ${command}\x1b[0m`));
  const output = runOnTerminal(command).split('\n');
  // The note about the bundled capture is shown once.
  const shown = index === 0 ? output : output.filter((line) => !line.includes('no server is running'));
  for (const line of shown) lines.push(...toSpans(line));
}
writeFileSync(OUT, picture(lines));
console.log(`${OUT}: ${lines.length} lines`);
