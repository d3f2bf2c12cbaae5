import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { MongooseModule } from '@nestjs/mongoose';
import { EventDispatcher } from './event-dispatcher.js';
import { InboxEntry, InboxSchema } from './inbox.schema.js';
import { Outbox } from './outbox.js';
import { OutboxEntry, OutboxSchema } from './outbox.schema.js';
import { OutboxRelay } from './outbox-relay.js';

/** Events between modules: outbox, relay, inbox. */
@Global()
@Module({
  imports: [
    DiscoveryModule,
    MongooseModule.forFeature([
      { name: OutboxEntry.name, schema: OutboxSchema },
      { name: InboxEntry.name, schema: InboxSchema },
    ]),
  ],
  providers: [EventDispatcher, OutboxRelay, Outbox],
  exports: [Outbox],
})
export class MessagingModule {}
