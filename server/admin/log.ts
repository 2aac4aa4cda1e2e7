/** Structured logs: JSON lines on standard error, so that standard output stays the program's own. */
import { destination, type Logger as PinoLogger, pino } from 'pino';

/** What parts of the server log through. */
export type Logger = PinoLogger;

/** A logger writing lines of `level` and above. Binary strings must be decoded before they are logged. */
export function createLogger(level: string): Logger {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    destination({ fd: 2, sync: true }),
  );
}
