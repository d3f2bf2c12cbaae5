import { type Page, PageInfoResponseDto } from '../../../common/pagination/page.dto.js';
import { ApiKeyResponseDto } from './api-key.dto.js';
import { SessionResponseDto } from './session-response.dto.js';

export class SessionListResponseDto implements Page<SessionResponseDto> {
  data!: SessionResponseDto[];

  page!: PageInfoResponseDto;
}

export class ApiKeyListResponseDto implements Page<ApiKeyResponseDto> {
  data!: ApiKeyResponseDto[];

  page!: PageInfoResponseDto;
}
