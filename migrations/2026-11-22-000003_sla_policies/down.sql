DROP TABLE sla_policy_steps;
DROP TABLE sla_policy_targets;
DROP TABLE sla_policy_versions;
DROP TABLE sla_policies;
