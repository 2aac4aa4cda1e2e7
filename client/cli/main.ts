#!/usr/bin/env node
/** Entry of the `strata` command. Only what must happen before other modules are loaded is here. */
import { enableCompileCache, getCompileCacheDir } from 'node:module';
import { fileURLToPath } from 'node:url';

// Half of a short command's time is compiling. The cache lies beside the dependencies, where nobody else may write, unlike
// the default below /tmp; where that cannot be written, there is no cache.
enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/strata-compile', import.meta.url)));
// Worker threads look for it in the environment.
const cacheFolder = getCompileCacheDir();
if (cacheFolder !== undefined) process.env['NODE_COMPILE_CACHE'] ??= cacheFolder;

const { run } = await import('./run.ts');
// Worker threads and sockets have been closed by now; exiting says so even if one of them lingers.
process.exit(await run());
