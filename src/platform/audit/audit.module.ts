import { Global, Module } from '@nestjs/common';
import { AuditedActions } from './audited-actions.js';
import { RefusalAudit } from './refusal-audit.js';

@Global()
@Module({ providers: [AuditedActions, RefusalAudit], exports: [AuditedActions, RefusalAudit] })
export class AuditModule {}
