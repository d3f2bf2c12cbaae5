/** The words of seeded tasks, from the commonest to the rarest. */
export const VOCABULARY =
  `review draft plan report call update team meeting budget check prepare send client project week notes
  design test release invoice order schedule fix list data customer contract office travel book write read clean
  repair visit doctor school garden kitchen birthday ticket server backup deploy metrics dashboard login password
  email phone printer laptop license renewal insurance bank payment tax receipt supplier warehouse delivery package
  label stock price offer quote proposal presentation slides agenda minutes workshop training interview candidate
  onboarding vacation request approval policy audit security incident postmortem outage latency cache index query
  migration schema rollback feature experiment survey feedback roadmap milestone deadline retrospective estimate
  refactor documentation tutorial translation newsletter campaign website banner logo brochure photo video podcast
  recipe groceries laundry bicycle train flight hotel museum concert theatre library dentist pharmacy vaccine gym
  swimming hiking camera battery charger furniture curtain plumber electrician landlord mortgage notary passport
  embassy café résumé naïve façade jalapeño Zürich Malmö São Tromsø`.split(/\s+/);

/** From the commonest to the rarest as well. */
export const TAGS = `work home urgent errands finance later team waiting client health reading travel garden family bugs
  ideas sales hiring legal study music sport kitchen car house school holiday phone research writing`.split(/\s+/);
