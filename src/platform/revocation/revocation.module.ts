import { Global, Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { Revocation, RevocationSchema } from './revocation.schema.js';
import { RemoteFeeds } from './remote-feeds.js';
import { RevocationFeed } from './revocation-feed.js';
import { Revocations } from './revocations.js';

@Global()
@Module({
  imports: [MongooseModule.forFeature([{ name: Revocation.name, schema: RevocationSchema }])],
  providers: [RevocationFeed, RemoteFeeds, Revocations],
  exports: [Revocations],
})
export class RevocationModule {}
