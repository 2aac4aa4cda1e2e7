/** Entry of an inspector's thread. Only turns the compile cache on: everything else is loaded after that. */
import { useCompileCache } from '../compile-cache.ts';

useCompileCache();
await import('./worker-run.ts');
