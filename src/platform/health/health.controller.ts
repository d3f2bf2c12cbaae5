import { Controller, Get, Res, ServiceUnavailableException, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import { HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import { SkipThrottle } from '@nestjs/throttler';
import type { FastifyReply } from 'fastify';
import { Public } from '../../common/auth/principal.js';
import { version } from '../../config/version.js';
import { ClockSkew } from '../database/clock-skew.js';
import { DatabaseReadiness } from '../migrations/database-readiness.js';
import { ServedUnderPressure } from '../overload/load-shedding.js';
import { Shutdown } from '../shutdown/shutdown.js';
import { Dependencies } from './dependencies.js';
import { HealthResponseDto, ProbeResponseDto } from './health.dto.js';

type Indicators = Record<string, { status: 'up' | 'down'; message?: string }>;

@ApiTags('Health')
@Public()
@SkipThrottle({ general: true, strict: true })
@Controller({ path: 'health', version: VERSION_NEUTRAL })
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly dependencies: Dependencies,
    private readonly shutdown: Shutdown,
    private readonly readiness: DatabaseReadiness,
    private readonly clock: ClockSkew,
  ) {}

  /**
   * Report the state of the process and its dependencies.
   *
   * @remarks For operators. 503 if MongoDB does not answer or its disk is full; other dependencies are shown, but the
   * status stays 200. Answers within one second.
   */
  @ApiResponse({ status: 200, description: 'MongoDB answers and has space', type: HealthResponseDto })
  @ApiResponse({ status: 503, description: "MongoDB doesn't answer, or its disk is full", type: HealthResponseDto })
  @ServedUnderPressure()
  @Get()
  async getHealth(@Res({ passthrough: true }) reply: FastifyReply): Promise<HealthResponseDto> {
    const others = await this.others();
    const result = await this.health
      .check([() => this.checkMongodb()])
      .catch((unavailable: ServiceUnavailableException) => {
        void reply.status(503);
        return unavailable.getResponse() as Awaited<ReturnType<HealthCheckService['check']>>;
      });
    const { info, error, details } = result as unknown as Record<string, Indicators>;
    const { rss, heapUsed } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    return {
      status: result.status,
      version,
      uptime: Math.round(process.uptime()),
      memory: { rss, heapUsed },
      cpu: { user: user / 1e6, system: system / 1e6 },
      info: { ...info, ...withStatus(others, 'up') },
      error: { ...error, ...withStatus(others, 'down') },
      details: { ...details, ...others },
    };
  }

  /**
   * Report whether the process can answer.
   *
   * @remarks For orchestrators, which restart a process that fails it. Asks no dependency.
   */
  @ApiResponse({ status: 200, description: 'It can', type: ProbeResponseDto })
  @ServedUnderPressure()
  @Get('live')
  getLiveness(): ProbeResponseDto {
    return { status: 'ok' };
  }

  /**
   * Report whether the instance should receive requests.
   *
   * @remarks For load balancers. 503 from the beginning of a shutdown, while MongoDB is unreachable, and while a
   * migration or an index is missing. `warning` names what an operator should look at.
   */
  @ApiResponse({ status: 200, description: 'They should', type: ProbeResponseDto })
  @ApiResponse({
    status: 503,
    description: 'Shutting down, no database, or one that lacks a migration or an index',
    type: ProbeResponseDto,
  })
  @ServedUnderPressure()
  @Get('ready')
  async getReadiness(@Res({ passthrough: true }) reply: FastifyReply): Promise<ProbeResponseDto> {
    const { inProgress } = this.shutdown;
    if (!inProgress && this.readiness.isReady && (await this.dependencies.mongodb()))
      return { status: 'ok', ...this.warning() };
    void reply.status(503);
    return { status: this.shutdown.inProgress ? 'shutting_down' : 'error' };
  }

  /** Shown, but not fatal: most of the service works without them. */
  private async others(): Promise<Indicators> {
    const { rabbitmqServer, rabbitmqBlockedBy } = this.dependencies;
    const [redis, storage] = await Promise.all([this.dependencies.redisServer(), this.dependencies.fileStorage()]);
    return {
      redis: statusOf(redis),
      storage: statusOf(storage),
      clock: clockStatus(this.clock.problem),
      ...(rabbitmqServer !== undefined && { rabbitmq: rabbitmqStatus(rabbitmqServer, rabbitmqBlockedBy) }),
    };
  }

  private warning(): Pick<ProbeResponseDto, 'warning'> {
    const { problem } = this.clock;
    return problem === undefined ? {} : { warning: problem };
  }

  private async checkMongodb() {
    const indicator = this.indicators.check('mongodb');
    return (await this.dependencies.mongodbWithSpace()) ? indicator.up() : indicator.down();
  }
}

function statusOf(isUp: boolean): Indicators[string] {
  return { status: isUp ? 'up' : 'down' };
}

function clockStatus(problem: string | undefined): Indicators[string] {
  return problem === undefined ? statusOf(true) : { status: 'down', message: problem };
}

function rabbitmqStatus(isUp: boolean, blockedBy: string | undefined): Indicators[string] {
  if (blockedBy === undefined) return statusOf(isUp);
  return { status: 'down', message: `blocked by an alarm, events wait in the outbox: ${blockedBy}` };
}

function withStatus(indicators: Indicators, status: 'up' | 'down'): Indicators {
  return Object.fromEntries(Object.entries(indicators).filter(([, indicator]) => indicator.status === status));
}
