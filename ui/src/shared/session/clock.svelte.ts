/** The present, as the core tells it and as this machine's monotonic clock carries it on. */
class Clock {
  #told = 0;
  #at = 0;
  /** Milliseconds since 1970, renewed every second. */
  now = $state(0);
  /** The same, renewed every minute: for lists, which need not be drawn every second. */
  minute = $state(0);

  set(instant: string): void {
    this.#told = Date.parse(instant);
    this.#at = performance.now();
    this.tick();
  }

  /** Facts are never from the future: where they seem to be, this clock stood still for a while. */
  notBefore(instant: string): void {
    if (Date.parse(instant) > this.now) this.set(instant);
  }

  tick = (): void => {
    this.now = this.#told + (performance.now() - this.#at);
    const minute = Math.floor(this.now / 60_000) * 60_000;
    if (minute !== this.minute) this.minute = minute;
  };

  start(): () => void {
    const timer = setInterval(this.tick, 1000);
    return () => clearInterval(timer);
  }
}

export const clock = new Clock();
