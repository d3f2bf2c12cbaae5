import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';

interface Question {
  id: string;
  replyTo: string;
  question: unknown;
}

interface Reply {
  id: string;
  answer: string;
}

/** Questions to the processes that serve a module, through Redis' pub/sub. The first answer counts. */
export class RedisQuestion {
  private readonly replies: string;
  private readonly waiting = new Map<string, (answer: string) => void>();
  private readonly answers = new Map<string, (question: unknown) => Promise<string>>();

  constructor(
    private readonly redis: Redis,
    private readonly subscriber: Redis,
    private readonly name: string,
  ) {
    this.replies = `${name}.replies.${randomUUID()}`;
  }

  /** Begins to listen for replies, and to answer for these modules of this process. */
  open(answers: Map<string, (question: unknown) => Promise<string>>): void {
    for (const [module, answer] of answers) this.answers.set(this.channelOf(module), answer);
    const subscribe = () => {
      this.subscriber.subscribe(this.replies, ...this.answers.keys()).catch(() => undefined); // reconnecting tries again
    };
    this.subscriber.on('message', (channel, message) => {
      const answer = this.answers.get(channel);
      if (answer) void this.reply(JSON.parse(message) as Question, answer);
      else if (channel === this.replies) this.receive(JSON.parse(message) as Reply);
    });
    this.subscriber.on('ready', subscribe);
    if (this.subscriber.status === 'ready') subscribe();
  }

  /** @throws Error where Redis can't be reached, nobody answers for the module, or not within `timeoutMs` */
  async ask(module: string, question: unknown, timeoutMs: number): Promise<string> {
    const id = randomUUID();
    let timer: NodeJS.Timeout | undefined;
    try {
      const answer = new Promise<string>((resolve, reject) => {
        this.waiting.set(id, resolve);
        timer = setTimeout(() => reject(new Error(`${module} did not answer`)), timeoutMs);
      });
      return (await Promise.all([answer, this.send(module, { id, replyTo: this.replies, question })]))[0];
    } finally {
      clearTimeout(timer);
      this.waiting.delete(id);
    }
  }

  private async send(module: string, question: Question): Promise<void> {
    const receivers = await this.redis.publish(this.channelOf(module), JSON.stringify(question));
    if (receivers === 0) throw new Error(`nobody answers for ${module}`);
  }

  private async reply({ id, replyTo, question }: Question, answer: (question: unknown) => Promise<string>) {
    const reply: Reply = { id, answer: await answer(question) };
    await this.redis.publish(replyTo, JSON.stringify(reply)).catch(() => undefined); // the other process asks again
  }

  private receive({ id, answer }: Reply): void {
    this.waiting.get(id)?.(answer);
  }

  private channelOf(module: string): string {
    return `${this.name}.${module}`;
  }
}
