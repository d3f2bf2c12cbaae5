import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { MinimumRole } from '../../common/auth/principal.js';
import { AuditService } from './audit.service.js';
import { AuditListResponseDto, ListAuditQueryDto } from './dto/audit.dto.js';

@ApiTags('Auth')
@Controller('auth/audit')
export class AuditController {
  constructor(private readonly audit: AuditService) {}

  /**
   * List the entries of the audit trail.
   *
   * @remarks Security-relevant actions of all users, newest first: who did what, when, from where. Filters combine with
   * AND.
   */
  @MinimumRole('admin')
  @Get()
  listAudit(@Query() query: ListAuditQueryDto): Promise<AuditListResponseDto> {
    return this.audit.list(query);
  }
}
