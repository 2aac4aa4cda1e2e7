/** Entry of the server. Only turns the compile cache on: everything else is loaded after that. */
import { useCompileCache } from './compile-cache.ts';

useCompileCache();
await import('./run.ts');
