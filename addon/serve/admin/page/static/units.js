// Numbers with their units, as people read them.

const SIZES = ["bytes", "KiB", "MiB", "GiB", "TiB"];

/** Return a number of bytes as [number, unit]. */
export function sizeParts(bytes) {
  let step = 0, value = bytes;
  while (value >= 1024 && step < SIZES.length - 1) [value, step] = [value / 1024, step + 1];
  return [step && value < 100 ? value.toFixed(1) : number(Math.round(value)), SIZES[step]];
}

/** Return a number of bytes as text. */
export const size = (bytes) => sizeParts(bytes).join(" ");

const short = (value) => value.toFixed(1).replace(/\.0$/, "");

/** Return a time in seconds as [number, unit]. */
export function timeParts(seconds) {
  if (seconds < 0.0005) return [seconds ? Math.max(1, Math.round(seconds * 1e6)) : "0", seconds ? "µs" : "s"];
  if (seconds < 1) return [seconds < 0.01 ? short(seconds * 1000) : Math.round(seconds * 1000), "ms"];
  if (seconds < 60) return [seconds < 10 ? short(seconds) : Math.round(seconds), "s"];
  if (seconds < 3600) return [Math.round(seconds / 60), "min"];
  if (seconds < 48 * 3600) return [short(seconds / 3600), "h"];
  return [number(Math.round(seconds / 86400)), "days"];
}

/** Return a time in seconds as text. */
export const time = (seconds) => timeParts(seconds).join(" ");

/** Return a whole number with separators. */
export const number = (value) => Number(value).toLocaleString("en");

/** Return a count with its noun. */
export const counted = (value, one, many = `${one}s`) => `${number(value)} ${value === 1 ? one : many}`;

/** Return a part of a whole in percent, as text without the unit. */
export function percent(part, whole) {
  if (!whole) return "0";
  const value = (100 * part) / whole;
  return value > 0 && value < 100 ? value.toFixed(1) : String(Math.round(value));
}

/** Return a time of the day, for seconds since the epoch; with the date unless that is today. */
export function clock(seconds) {
  const date = new Date(seconds * 1000), two = (value) => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} `;
  const isToday = date.toDateString() === new Date().toDateString();
  return `${isToday ? "" : day}${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
