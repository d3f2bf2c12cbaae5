import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';

/** What both sides say: a process of an earlier release doesn't send its key ids. */
interface Sender {
  keyIds?: string[];
}

interface Question extends Sender {
  id: string;
  replyTo: string;
  question: unknown;
}

interface Reply extends Sender {
  id: string;
  answer: string;
}

/**
 * Questions to the processes that serve a module, through Redis' pub/sub. The first answer counts.
 *
 * Deployments that share a Redis receive each other's messages, also where each has a database number of its own. An
 * answer of another deployment would be about other users, so it doesn't count: sender and receiver must have a key id in common; this separates deployments, it authenticates nobody.
 */
export class RedisQuestion {
  private readonly replies: string;
  private readonly waiting = new Map<string, (answer: string) => void>();
  private readonly answers = new Map<string, (question: unknown) => Promise<string>>();

  constructor(
    private readonly redis: Redis,
    private readonly subscriber: Redis,
    private readonly name: string,
    /** Of the keys of access tokens, which all processes of a deployment have. More than one while keys are rotated. */
    private readonly keyIds: string[],
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
      if (answer) this.receiveQuestion(JSON.parse(message) as Question, answer);
      else if (channel === this.replies) this.receiveReply(JSON.parse(message) as Reply);
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
      return (
        await Promise.all([answer, this.send(module, { id, replyTo: this.replies, keyIds: this.keyIds, question })])
      )[0];
    } finally {
      clearTimeout(timer);
      this.waiting.delete(id);
    }
  }

  private async send(module: string, question: Question): Promise<void> {
    const receivers = await this.redis.publish(this.channelOf(module), JSON.stringify(question));
    if (receivers === 0) throw new Error(`nobody answers for ${module}`);
  }

  private receiveQuestion(question: Question, answer: (question: unknown) => Promise<string>): void {
    if (question.keyIds === undefined || this.isOwn(question)) void this.reply(question, answer);
  }

  private async reply({ id, replyTo, question }: Question, answer: (question: unknown) => Promise<string>) {
    const reply: Reply = { id, keyIds: this.keyIds, answer: await answer(question) };
    await this.redis.publish(replyTo, JSON.stringify(reply)).catch(() => undefined); // the other process asks again
  }

  /** An answer without key ids doesn't count: it may be another deployment's. */
  private receiveReply(reply: Reply): void {
    if (this.isOwn(reply)) this.waiting.get(reply.id)?.(reply.answer);
  }

  private isOwn({ keyIds = [] }: Sender): boolean {
    return keyIds.some((id) => this.keyIds.includes(id));
  }

  private channelOf(module: string): string {
    return `${this.name}.${module}`;
  }
}
