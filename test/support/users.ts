import { randomUUID } from 'node:crypto';
import { ObjectId } from 'mongodb';
import { type Addressable, ApiClient, type ApiResponse, type Problem } from './api-client.js';
import { databaseOf } from './database.js';
import { mailTo, tokenIn } from './mail.js';
import { runCli, type TestService } from './service.js';
import { waitFor } from './wait-for.js';

export interface Tokens {
  user: { id: string; name: string; email: string; role: string; emailVerified: boolean; createdAt: string };
  tokenType: string;
  accessToken: string;
  refreshToken: string;
  expiresIn: number;
  deviceToken: string;
}

/** Somebody with an account, logged in. */
export interface TestUser {
  id: string;
  name: string;
  email: string;
  password: string;
  tokens: Tokens;
  /** Sends the user's access token. */
  api: ApiClient;
}

export interface Registration {
  name: string;
  email: string;
  password: string;
}

/** An address that no other test uses. */
export function newEmail(): string {
  return `u${randomUUID().replaceAll('-', '')}@example.org`;
}

export function newRegistration(overrides: Partial<Registration> = {}): Registration {
  return { name: 'Ada Lovelace', email: newEmail(), password: 'correct-horse-battery', ...overrides };
}

/** A real user, registered over HTTP. */
export async function registerUser(service: Addressable, overrides: Partial<Registration> = {}): Promise<TestUser> {
  const registration = newRegistration(overrides);
  const { status, body } = await new ApiClient(service).post<Tokens>('/api/v1/auth/register', registration);
  if (status !== 201) throw new Error(`registering was answered ${status}: ${JSON.stringify(body)}`);
  return toUser(service, registration, body);
}

/** A user whose address is verified by the link in the mail, in every module. */
export async function registerVerifiedUser(
  service: Addressable,
  overrides: Partial<Registration> = {},
): Promise<TestUser> {
  const user = await registerUser(service, overrides);
  await verifyAddress(user);
  return user;
}

/** Follows the link in the verification mail, and waits until the profile shows it. */
export async function verifyAddress({ api, email }: TestUser): Promise<void> {
  const token = tokenIn(await mailTo(email, ({ text }) => text.includes('/verify-email#')));
  const { status, body } = await api.post('/api/v1/auth/email/verify', { token });
  if (status !== 204) throw new Error(`verifying was answered ${status}: ${JSON.stringify(body)}`);
  await waitFor('the verified profile', async () => {
    return (await api.get<{ emailVerified: boolean }>('/api/v1/users/me')).body.emailVerified;
  });
}

/** An API key of a user whose address is verified. */
export async function createApiKey(
  { api, password }: Pick<TestUser, 'api' | 'password'>,
  scopes: string[],
  overrides: Record<string, unknown> = {},
): Promise<{ id: string; key: string; expiresAt: string; api: ApiClient }> {
  const input = { name: 'report', scopes, password, ...overrides };
  const { status, body } = await api.post<{ id: string; key: string; expiresAt: string }>(
    '/api/v1/auth/api-keys',
    input,
  );
  if (status !== 201) throw new Error(`making an API key was answered ${status}: ${JSON.stringify(body)}`);
  return { ...body, api: new ApiClient(api.service, body.key) };
}

/** Logs in with a password, which is a new session. */
export async function logIn(
  service: Addressable,
  credentials: Pick<Registration, 'email' | 'password'>,
): Promise<TestUser> {
  const { status, body } = await new ApiClient(service).post<Tokens>('/api/v1/auth/login', {
    email: credentials.email,
    password: credentials.password,
  });
  if (status !== 200) throw new Error(`logging in was answered ${status}: ${JSON.stringify(body)}`);
  return toUser(service, { ...credentials, name: body.user.name }, body);
}

/** An administrator, made by the operator's command and logged in. */
export async function createAdmin(
  service: Addressable & Pick<TestService, 'environment'>,
  overrides: Partial<Registration> = {},
): Promise<TestUser> {
  const admin = newRegistration({ name: 'Grace Hopper', ...overrides });
  const { code, output } = await runCli(service, ['create-admin', '--name', admin.name, '--email', admin.email], {
    ADMIN_PASSWORD: admin.password,
  });
  if (code !== 0) throw new Error(`create-admin ended with ${code}: ${output}`);
  return await logIn(service, admin);
}

function toUser(service: Addressable, { name, email, password }: Registration, tokens: Tokens): TestUser {
  return { id: tokens.user.id, name, email, password, tokens, api: new ApiClient(service, tokens.accessToken) };
}

/** Has an administrator set a user's role, with the password that raising one takes. */
export function setRole(
  { api, password }: Pick<TestUser, 'api' | 'password'>,
  { id }: Pick<TestUser, 'id'>,
  role: string,
): Promise<ApiResponse<Problem>> {
  return api.put(`/api/v1/users/${id}/role`, { role, password });
}

/** Has an administrator delete a user. */
export function deleteUser(
  { api, password }: Pick<TestUser, 'api' | 'password'>,
  { id }: Pick<TestUser, 'id'>,
): Promise<ApiResponse<Problem>> {
  return api.send('DELETE', `/api/v1/users/${id}`, { password });
}

/** Gives a user another role the way an operator with a database shell would, and logs in again. */
export async function withRole(
  service: TestService,
  user: TestUser,
  role: 'user' | 'manager' | 'admin',
): Promise<TestUser> {
  const database = databaseOf(service);
  const _id = new ObjectId(user.id);
  await database.collection('accounts').updateOne({ _id }, { $set: { role } });
  // The profile follows the account.
  await waitFor('the profile', async () => {
    const { matchedCount } = await database.collection('users').updateOne({ _id }, { $set: { role } });
    return matchedCount === 1;
  });
  return await logIn(service, user);
}
