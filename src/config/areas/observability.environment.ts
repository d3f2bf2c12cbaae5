import { Type } from 'class-transformer';
import { IsIn, IsNumber, IsOptional, Matches, Max, Min } from 'class-validator';
import { HttpUrl } from '../variable-decorators.js';

/** As of OpenTelemetry's specification of environment variables. */
const KEYS_AND_VALUES = /^[^\s=,]+=[^,]*(,\s*[^\s=,]+=[^,]*)*$/;
const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
];

/** Logs, metrics, traces, and error reports. */
export class ObservabilityEnvironment {
  @IsIn(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
    message: 'must be one of fatal, error, warn, info, debug, trace, silent',
  })
  readonly LOG_LEVEL: string = 'info';

  @IsOptional()
  @HttpUrl('must be the http(s) address of an OTLP receiver, such as http://collector:4318')
  readonly OTEL_EXPORTER_OTLP_ENDPOINT?: string;

  @IsOptional()
  @Matches(KEYS_AND_VALUES, { message: 'must be headers as key=value, separated by commas' })
  readonly OTEL_EXPORTER_OTLP_HEADERS?: string;

  @IsIn(['none', 'otlp'], { message: 'must be none or otlp' })
  readonly OTEL_METRICS_EXPORTER: 'none' | 'otlp' = 'none';

  @Matches(/\S/, { message: 'must not be empty' })
  readonly OTEL_SERVICE_NAME: string = 'scalable-api';

  @IsOptional()
  @Matches(KEYS_AND_VALUES, { message: 'must be attributes as key=value, separated by commas' })
  readonly OTEL_RESOURCE_ATTRIBUTES?: string;

  @IsIn(SAMPLERS, { message: `must be one of ${SAMPLERS.join(', ')}` })
  readonly OTEL_TRACES_SAMPLER: string = 'parentbased_always_on';

  @Type(() => Number)
  @IsNumber({}, { message: 'must be a number from 0 to 1' })
  @Min(0)
  @Max(1)
  readonly OTEL_TRACES_SAMPLER_ARG: number = 1;

  @IsOptional()
  @Matches(/^https?:\/\/\w+@[^\s/@]+(\/[^\s/]+)*\/\d+$/, {
    message: "must be the DSN of a project of Sentry's, such as https://key@sentry.your-domain/1",
  })
  readonly SENTRY_DSN?: string;
}
