/** Why the server closes a connection (RFC 6455, 7.4; from 4000 on our own). What clients should do: docs/websocket.md. */
export const CLOSE = {
  /** The process ends, or the connection is old: connect again, to whichever process answers. */
  RESTART: 1012,
  /** Whether the token is valid can't be checked at the moment. */
  TRY_AGAIN_LATER: 1013,
  BINARY: 1003,
  UNEXPECTED_MESSAGE: 1008,
  UNAUTHENTICATED: 4401,
  TOO_MANY: 4429,
} as const;
