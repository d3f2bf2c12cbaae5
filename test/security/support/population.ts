import { createHash } from 'node:crypto';
import { ApiClient, type ApiResponse } from '../../support/api-client.js';
import type { TestService } from '../../support/service.js';
import { createTask } from '../../support/tasks.js';
import { createAdmin, createApiKey, logIn, registerVerifiedUser, type TestUser } from '../../support/users.js';
import { waitFor } from '../../support/wait-for.js';

const POOL_SIZE = 500;
const SCOPES = [['tasks:read'], ['tasks:write', 'users:read'], ['notifications:write', 'users:write']];

interface Actor {
  api: ApiClient;
  /** Makes somebody else in its place, once its account or its session is gone. */
  renew?: () => Promise<ApiClient>;
}

/** Who asks, and what there is to ask about; both grow and shrink with what the requests do. */
export class Population {
  readonly actors: Actor[] = [];
  readonly users: TestUser[] = [];
  private readonly ids: string[] = [];

  private constructor(private readonly service: TestService) {}

  /** Four users, an administrator, a program for each of three sets of scopes, a forger, and nobody. */
  static async of(service: TestService): Promise<Population> {
    const population = new Population(service);
    await population.fill();
    return population;
  }

  /** @param place any number: an id that exists or did exist */
  idAt(place: number): string {
    return this.ids[place % this.ids.length] as string;
  }

  /** Notes the ids in an answer, so that later requests ask for them. */
  learn({ body }: ApiResponse): void {
    for (const [, id = ''] of JSON.stringify(body ?? '').matchAll(/"id":"([0-9a-f]{24})"/g)) {
      if (this.ids.includes(id)) continue;
      if (this.ids.length < POOL_SIZE) this.ids.push(id);
      else this.ids[parseInt(createHash('sha256').update(id).digest('hex').slice(0, 8), 16) % POOL_SIZE] = id;
    }
  }

  /** Replaces those among these actors whose tokens don't count any more. */
  async renew(places: Iterable<number>): Promise<void> {
    for (const place of places) {
      const actor = this.actors[place];
      if (actor?.renew && (await actor.api.get('/api/v1/tasks/stats')).status === 401) actor.api = await actor.renew();
    }
  }

  private async fill(): Promise<void> {
    for (let count = 0; count < 4; count++) await this.addPerson(() => this.addUser());
    await this.addPerson(async () => await withProfile(await createAdmin(this.service)));
    for (const scopes of SCOPES) {
      const asProgram = async () => await this.addProgram(scopes);
      this.actors.push({ api: await asProgram(), renew: asProgram });
    }
    this.actors.push(
      { api: new ApiClient(this.service, 'eyJhbGciOiJub25lIn0.e30.') },
      { api: new ApiClient(this.service) },
    );
  }

  private async addPerson(begin: () => Promise<TestUser>): Promise<void> {
    let person = await begin();
    const renew = async () => {
      // Deleted, locked out or with another password it is somebody new.
      const again = await logIn(this.service, person).catch(() => null);
      person = again?.tokens.user.role === person.tokens.user.role ? again : await begin();
      return person.api;
    };
    this.actors.push({ api: person.api, renew });
  }

  private async addUser(): Promise<TestUser> {
    const user = await withProfile(await registerVerifiedUser(this.service));
    this.users.push(user);
    await user.api.post('/api/v1/auth/mfa/totp', { password: user.password }); // to be confirmed, with any code
    this.ids.push(user.id, (await createTask(user.api)).id, (await createTask(user.api, { status: 'done' })).id);
    return user;
  }

  private async addProgram(scopes: string[]): Promise<ApiClient> {
    const user = await this.addUser();
    return (await createApiKey(user, scopes)).api;
  }
}

/** Until the profile has arrived from the account, what is asked of it may be answered 503. */
async function withProfile(user: TestUser): Promise<TestUser> {
  await waitFor('the profile', async () => (await user.api.get('/api/v1/users/me')).status === 200);
  return user;
}
