import { Transform } from 'class-transformer';
import { ArrayUnique, IsBoolean, IsIn, Validate } from 'class-validator';
import { MODULES, type ModuleName } from '../../contracts/modules.js';
import { toBoolean, toCount, toList } from '../parse.js';
import { IsWorkerCount } from '../rules.js';
import { Seconds } from '../variable-decorators.js';

/** The process: what it serves, and how it begins and ends. */
export class ProcessEnvironment {
  @IsIn(['development', 'test', 'production'], { message: 'must be development, test or production' })
  readonly NODE_ENV: 'development' | 'test' | 'production' = 'production';

  @Transform(toList)
  @ArrayUnique({ message: 'must name each module once' })
  @IsIn(MODULES, { each: true, message: `must name modules, separated by commas: ${MODULES.join(', ')}` })
  readonly MODULES: ModuleName[] = [...MODULES];

  @Transform(toCount)
  @Validate(IsWorkerCount)
  readonly WORKERS: number | 'auto' = 1;

  @Transform(toBoolean)
  @IsBoolean({ message: 'must be true or false' })
  readonly WORK_ENABLED: boolean = true;

  @Seconds(0)
  readonly SHUTDOWN_DRAIN_SECONDS: number = 5;
}
