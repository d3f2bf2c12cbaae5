import { Global, Logger, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { MongooseModule } from '@nestjs/mongoose';
import { SecretBox } from '../../common/crypto/secret-box.js';
import { FilesEnvironment } from '../../config/areas/files.environment.js';
import { HttpEnvironment } from '../../config/areas/http.environment.js';
import { ProcessEnvironment } from '../../config/areas/process.environment.js';
import { LocalStorage } from './local-storage.js';
import { LocalUrls } from './local-urls.js';
import { ObjectRemoval, ObjectRemovalSchema } from './object-removal.schema.js';
import { ObjectRemovals } from './object-removals.js';
import { ObjectStorage } from './object-storage.js';
import { StorageQuota } from './storage-quota.js';
import {
  StorageReservation,
  StorageReservationSchema,
  StorageUsage,
  StorageUsageSchema,
} from './storage-usage.schema.js';

/** Files: in S3 where there is a bucket, else on disk. */
@Global()
@Module({
  imports: [
    DiscoveryModule,
    MongooseModule.forFeature([
      { name: ObjectRemoval.name, schema: ObjectRemovalSchema },
      { name: StorageUsage.name, schema: StorageUsageSchema },
      { name: StorageReservation.name, schema: StorageReservationSchema },
    ]),
  ],
  providers: [
    ObjectRemovals,
    StorageQuota,
    {
      provide: LocalUrls,
      inject: [SecretBox, FilesEnvironment, HttpEnvironment],
      useFactory: (...parts: [SecretBox, FilesEnvironment, HttpEnvironment]) => new LocalUrls(...parts),
    },
    {
      provide: ObjectStorage,
      inject: [FilesEnvironment, ProcessEnvironment, LocalUrls],
      useFactory: async (
        environment: FilesEnvironment,
        { NODE_ENV }: ProcessEnvironment,
        urls: LocalUrls,
      ): Promise<ObjectStorage> => {
        if (environment.S3_BUCKET === undefined) return onDisk(environment, NODE_ENV === 'production', urls);
        // Loaded only where it is used: with files on disk, the SDK takes no memory.
        const { S3Storage } = await import('./s3-storage.js');
        return new S3Storage(environment);
      },
    },
  ],
  exports: [ObjectStorage, ObjectRemovals, StorageQuota, LocalUrls],
})
export class StorageModule {}

function onDisk(environment: FilesEnvironment, isProduction: boolean, urls: LocalUrls): LocalStorage {
  if (isProduction) {
    new Logger(LocalStorage.name).warn(
      'files are kept in STORAGE_PATH: with more than one instance, all of them have to share that folder',
    );
  }
  return new LocalStorage(environment, urls);
}
