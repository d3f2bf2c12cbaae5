import { Global, Module } from '@nestjs/common';
import { ProfileVersions } from './profile-versions.js';

@Global()
@Module({ providers: [ProfileVersions], exports: [ProfileVersions] })
export class ProfileVersionsModule {}
