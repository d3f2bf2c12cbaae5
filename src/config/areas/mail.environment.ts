import { IsIn, IsOptional, Matches } from 'class-validator';

/** Mails. */
export class MailEnvironment {
  // nodemailer prefers what stands in the address.
  @Matches(/^smtps?:\/\/(?!.*[?&]requireTLS=).+/i, {
    message: 'must be an smtp:// or smtps:// address, without requireTLS: that is what SMTP_TLS is for',
  })
  readonly SMTP_URL!: string;

  @IsOptional()
  @IsIn(['required', 'optional'], { message: 'must be required or optional' })
  readonly SMTP_TLS?: 'required' | 'optional';

  @Matches(/.+@.+/, { message: 'must be an address such as: Scalable API <no-reply@your-domain>' })
  readonly MAIL_FROM!: string;
}
