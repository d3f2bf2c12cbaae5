import { AllowedOrigins } from './allowed-origins.js';
import { Connections } from './connections.js';
import { Handshake } from './handshake.js';
import { InboxFeed } from './inbox-feed.js';
import { InboxNews } from './inbox-news.js';
import { InboxWatch } from './inbox-watch.js';
import { LiveGateway } from './live.gateway.js';
import { TokenExpiryWatch } from './token-expiry-watch.js';

/** What the WebSocket is made of. */
export const REALTIME_PROVIDERS = [
  InboxNews,
  InboxFeed,
  Connections,
  InboxWatch,
  Handshake,
  AllowedOrigins,
  TokenExpiryWatch,
  LiveGateway,
];
