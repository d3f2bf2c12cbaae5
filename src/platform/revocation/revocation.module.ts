import { Global, Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { MigrationsModule } from '../migrations/migrations.module.js';
import { Revocation, RevocationSchema } from './revocation.schema.js';
import { FEEDS_ARE_ANSWERED, RemoteFeeds } from './remote-feeds.js';
import { RevocationFeed } from './revocation-feed.js';
import { Revocations } from './revocations.js';

@Global()
@Module({
  imports: [
    MongooseModule.forFeature([{ name: Revocation.name, schema: RevocationSchema }]),
    MigrationsModule.forFeature('revocation', [FEEDS_ARE_ANSWERED]),
  ],
  providers: [RevocationFeed, RemoteFeeds, Revocations],
  exports: [Revocations],
})
export class RevocationModule {}
