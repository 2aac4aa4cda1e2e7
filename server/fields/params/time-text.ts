/** Timestamps as text. Times come as unsigned halves of nanoseconds since the epoch. */
import { nsSeconds, nsSubsecond } from '../../event/u64.ts';

const QUARTER_HOUR_S = 900;

let zoneKey = -1;
let zoneOffsetS = 0;

/** Seconds that local time is ahead of UTC at `second`. Zones change at quarter hours at the earliest. */
function localOffset(second: number): number {
  const key = Math.floor(second / QUARTER_HOUR_S);
  if (key !== zoneKey) {
    zoneKey = key;
    zoneOffsetS = -new Date(second * 1000).getTimezoneOffset() * 60;
  }
  return zoneOffsetS;
}

let lastSecond = -1;
/** `YYYY-MM-DDTHH:MM:SS` of `lastSecond`: thousands of events share a second, so it is kept. */
let lastText = '';

function isoSecond(second: number): string {
  if (second !== lastSecond) {
    lastSecond = second;
    lastText = new Date(second * 1000).toISOString().slice(0, -5);
  }
  return lastText;
}

function localIsoSecond(second: number): string {
  return isoSecond(second + localOffset(second));
}

function fraction(hi: number, lo: number): string {
  return nsSubsecond(hi, lo).toString().padStart(9, '0');
}

/** `HH:MM:SS` in local time. */
export function timeText(hi: number, lo: number): string {
  return localIsoSecond(nsSeconds(hi, lo)).slice(11);
}

/** `HH:MM:SS.nnnnnnnnn` in local time. */
export function timeNsText(hi: number, lo: number): string {
  return `${timeText(hi, lo)}.${fraction(hi, lo)}`;
}

/** `YYYY-MM-DD HH:MM:SS` in local time. */
export function dateTimeText(hi: number, lo: number): string {
  const text = localIsoSecond(nsSeconds(hi, lo));
  return `${text.slice(0, 10)} ${text.slice(11)}`;
}

/** `YYYY-MM-DD HH:MM:SS.nnnnnnnnn` in local time. */
export function dateTimeNsText(hi: number, lo: number): string {
  return `${dateTimeText(hi, lo)}.${fraction(hi, lo)}`;
}

/** `YYYY-MM-DDTHH:MM:SS.nnnnnnnnn+0000` in UTC. */
export function iso8601Text(hi: number, lo: number): string {
  return `${isoSecond(nsSeconds(hi, lo))}.${fraction(hi, lo)}+0000`;
}
