import { Validate, ValidateIf } from 'class-validator';
import { IsBusForModules, IsServerAddress } from '../rules.js';
import { Certificates, KeyOfCertificate } from '../variable-decorators.js';

/** Events between modules. */
export class MessagingEnvironment {
  @Validate(IsBusForModules)
  readonly EVENT_BUS: 'in-process' | 'rabbitmq' = 'in-process';

  @ValidateIf((variables: MessagingEnvironment) => variables.EVENT_BUS === 'rabbitmq')
  @Validate(IsServerAddress, ['RABBITMQ', 'amqp'])
  readonly RABBITMQ_URL?: string;

  @Certificates()
  readonly RABBITMQ_TLS_CA?: string;

  @Certificates()
  readonly RABBITMQ_TLS_CERT?: string;

  @KeyOfCertificate('RABBITMQ')
  readonly RABBITMQ_TLS_KEY?: string;
}
