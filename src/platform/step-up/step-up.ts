import { randomUUID } from 'node:crypto';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { Principal } from '../../common/auth/principal.js';
import { SecretBox } from '../../common/crypto/secret-box.js';
import { DependencyUnavailableError, type ProblemCode, ProblemError } from '../../common/errors/problem.js';
import type { Client } from '../../common/http/client.js';
import { type RequestContext, requestContext } from '../../common/http/request-context.js';
import { RabbitMqConnections } from '../messaging/rabbitmq/rabbitmq-connections.js';
import { RemoteQuestion } from '../messaging/remote-question.js';
import type { StepUpDto } from './step-up.dto.js';

const QUESTION_PURPOSE = 'step-up-question';
const ANSWER_PURPOSE = 'step-up-answer';
const TIMEOUT_MS = 2000;
const UNAVAILABLE = "The password can't be checked at the moment: try again soon.";

/** Who steps up, with what, and from where. */
export interface StepUpRequest {
  user: Principal;
  proof: StepUpDto;
  client: Client;
}

/** What another process is asked. Earlier releases leave out the id of the request that it is for. */
interface Question extends StepUpRequest {
  requestId?: string | undefined;
}

/** What the module that owns the passwords provides. */
export interface StepUpVerifier {
  /** @throws ProblemError as `StepUp.require` does */
  verify(request: StepUpRequest): Promise<unknown>;
}

interface Problem {
  code: ProblemCode;
  detail: string;
  members: Record<string, unknown>;
  headers: Record<string, string>;
  /** What a fault was, for the log; earlier releases leave it out. */
  cause?: string | undefined;
}

/** Encrypted, so that no password is readable in the broker. */
interface Sealed {
  sealed: string;
}

/**
 * Has people prove again who they are, before a change that a stolen access token must not be enough for. The module
 * that owns the passwords decides: in this process where it is served here, else asked through the broker.
 */
@Injectable()
export class StepUp implements OnApplicationBootstrap {
  private verifier?: StepUpVerifier;
  private readonly question: RemoteQuestion<Sealed>;

  constructor(
    @Inject(RabbitMqConnections) connections: RabbitMqConnections | null,
    private readonly box: SecretBox,
  ) {
    this.question = new RemoteQuestion(connections, {
      name: 'step-up',
      timeoutMs: TIMEOUT_MS,
      retryAfterSeconds: 1,
      unavailable: UNAVAILABLE,
    });
  }

  /** Called by the module that owns the passwords, before the application has started. */
  provide(verifier: StepUpVerifier): void {
    this.verifier = verifier;
  }

  onApplicationBootstrap(): void {
    const { verifier } = this;
    this.question.open(new Map(verifier && [['auth', (question: Sealed) => this.answer(question, verifier)]]));
  }

  /**
   * Checks the proof, and uses up its code. Nothing may be changed before this has returned.
   *
   * @throws ProblemError 403 `STEP_UP_REQUIRED` where something is missing (member `methods`), 401 `INVALID_CREDENTIALS`
   * where something is wrong, 429 `RATE_LIMITED` after too many wrong ones, 401 `UNAUTHENTICATED` where the account is gone
   * @throws DependencyUnavailableError where the module that owns the passwords doesn't answer within two seconds
   */
  async require(user: Principal, proof: StepUpDto, client: Client): Promise<void> {
    if (this.verifier) {
      await this.verifier.verify({ user, proof, client });
      return;
    }
    const question: Question = { user, proof, client, requestId: requestContext.getStore()?.requestId };
    const sealed = this.box.encrypt(QUESTION_PURPOSE, JSON.stringify(question));
    const answer = this.box.decrypt(ANSWER_PURPOSE, await this.question.ask('auth', { sealed }));
    // The question is part of the answer: an answer to another one, replayed in the broker, is none to this one.
    const { to, problem } = JSON.parse(answer ?? '{}') as { to?: string; problem?: Problem | null };
    if (to !== sealed) throw new DependencyUnavailableError(UNAVAILABLE);
    if (!problem) return;
    const { code, detail, members, headers, cause } = problem;
    throw new ProblemError(code, detail, { members, headers, cause: cause === undefined ? cause : new Error(cause) });
  }

  private async answer({ sealed }: Sealed, verifier: StepUpVerifier): Promise<string> {
    const request = this.box.decrypt(QUESTION_PURPOSE, sealed);
    if (request === null) throw new Error('the question was encrypted with an unknown secret');
    const question = JSON.parse(request) as Question;
    const verify = () => verifier.verify(question).then(() => null, toProblem);
    const problem = await requestContext.run(contextOf(question), verify);
    return this.box.encrypt(ANSWER_PURPOSE, JSON.stringify({ to: sealed, problem }));
  }
}

/**
 * The context of the request that the check is for, so that the limits on concurrent work treat it as in one process: the
 * password waits by the client's network, the transaction by the user, both for a limited time.
 */
function contextOf({ user, client: { ip }, requestId = randomUUID() }: Question): RequestContext {
  const apiKeyId = 'apiKey' in user ? user.apiKey.id : undefined;
  return { requestId, startedAt: performance.now(), ip, userId: user.userId, apiKeyId };
}

/** @throws what isn't meant for the client */
function toProblem(error: unknown): Problem {
  if (!(error instanceof ProblemError)) throw error;
  const { code, message: detail, members, headers, cause } = error;
  return { code, detail, members, headers, cause: cause instanceof Error ? cause.message : undefined };
}
