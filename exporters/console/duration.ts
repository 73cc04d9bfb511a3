/** `12 s`, `3 min 04 s`, `2 h 05 min`. */
export function describeDuration(seconds: number): string {
  const whole = Math.floor(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  if (hours > 0) return `${hours} h ${pad(minutes)} min`;
  return minutes > 0 ? `${minutes} min ${pad(whole % 60)} s` : `${whole} s`;
}

function pad(number: number): string {
  return String(number).padStart(2, '0');
}
