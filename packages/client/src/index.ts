export { type Account, type Attachment, Client, type ClientOptions, type Task } from './client.js';
export { LiveConnection, type LiveOptions, type LiveSocket, type Notification } from './live.js';
export type { ListPath, Page, RowOf } from './pages.js';
export { ApiError, ConflictError, isApiError, NetworkError, type Problem, type ProblemCode } from './problem.js';
export type { RetryOptions } from './retries.js';
export type { components, operations, paths } from './schema.js';
export { browserStore, memoryStore, type StoredState, type TokenStore } from './session.js';
export type { UploadOptions } from './upload.js';
