/** So many failures in succession open a circuit. */
const FAILURES_TO_OPEN = 5;
const FIRST_OPEN_MS = 5_000;
const MAX_OPEN_MS = 5 * 60_000;

interface Line {
  active: number;
  /** In succession. */
  failures: number;
  openUntil: number;
}

/**
 * Keeps one slow or dead receiver from holding up all the others: for each it allows so many messages at once, and none
 * for a while after it has failed repeatedly (then one, to see). In memory: every process makes its own experience.
 */
export class Circuits {
  private readonly lines = new Map<string, Line>();

  constructor(private readonly limit: number) {}

  /** Those whose circuit is open. */
  closedOff(now = Date.now()): string[] {
    return [...this.lines].filter(([, line]) => this.isClosedOff(line, now)).map(([receiver]) => receiver);
  }

  /** How many circuits are open. */
  countOpen(now = Date.now()): number {
    return [...this.lines.values()].filter(({ openUntil }) => openUntil > now).length;
  }

  begin(receiver: string): void {
    const line = this.lines.get(receiver) ?? { active: 0, failures: 0, openUntil: 0 };
    line.active++;
    this.lines.set(receiver, line);
  }

  /**
   * @param worked whether the receiver did its part; undefined where it wasn't asked to
   * @param leaveAloneMs how long it asked to be left alone
   */
  end(receiver: string, worked: boolean | undefined, leaveAloneMs = 0, now = Date.now()): void {
    const line = this.lines.get(receiver);
    if (!line) return;
    line.active--;
    if (worked === true) Object.assign(line, { failures: 0, openUntil: 0 });
    if (worked === false) {
      // What was under way when the circuit opened says nothing new.
      if (line.openUntil <= now) line.failures++;
      const pause = line.failures < FAILURES_TO_OPEN ? 0 : FIRST_OPEN_MS * 2 ** (line.failures - FAILURES_TO_OPEN);
      line.openUntil = Math.max(line.openUntil, now + Math.min(Math.max(pause, leaveAloneMs), MAX_OPEN_MS));
    }
    if (line.active === 0 && line.failures === 0) this.lines.delete(receiver);
  }

  private isClosedOff({ active, failures, openUntil }: Line, now: number): boolean {
    return openUntil > now || active >= (failures < FAILURES_TO_OPEN ? this.limit : 1);
  }
}
