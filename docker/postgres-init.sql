-- Runs once, as the superuser, when the settlement database's volume is empty.
--
-- The groups hold the rights (src/store/migrations); a login holds none of its own and is a member of exactly the group
-- that its process works as, without inheriting it: each session says by its connection option which one it is.
-- Passwords are read from the secrets of the container, so that they stand in no statement of this file.

\set ON_ERROR_STOP on
\set migrate_password `cat /run/secrets/migrate_password`
\set worker_password `cat /run/secrets/worker_password`
\set operator_password `cat /run/secrets/operator_password`
\set approver_password `cat /run/secrets/approver_password`
\set policy_password `cat /run/secrets/policy_password`

create role settle_owner nologin;
create role settle_worker nologin;
create role settle_operator nologin;
create role settle_viewer nologin;
create role settle_approver nologin;
create role settle_auditor nologin;
create role settle_policy_admin nologin;

-- Owns the schema and changes it; used by the one-shot service `migrate` and by nobody else.
create role migrate_login login noinherit nosuperuser nocreatedb nocreaterole password :'migrate_password';
-- Computes and publishes; cannot load inputs, change policies or decide anything.
create role worker_login login noinherit nosuperuser nocreatedb nocreaterole password :'worker_password';
-- Loads, asks and corrects; cannot write a result and cannot decide.
create role operator_login login noinherit nosuperuser nocreatedb nocreaterole password :'operator_password';
-- Decides what somebody else has asked for.
create role approver_login login noinherit nosuperuser nocreatedb nocreaterole password :'approver_password';
-- Makes networks and their policies.
create role policy_login login noinherit nosuperuser nocreatedb nocreaterole password :'policy_password';

grant settle_worker to worker_login with inherit false, set true;
grant settle_viewer, settle_auditor, settle_operator to operator_login with inherit false, set true;
grant settle_viewer, settle_auditor, settle_approver to approver_login with inherit false, set true;
grant settle_viewer, settle_policy_admin to policy_login with inherit false, set true;

create database settle owner migrate_login;
revoke all on database settle from public;
grant connect on database settle to worker_login, operator_login, approver_login, policy_login;
-- An import, a dispute and whoever reads with archives brought along stage rows in temporary tables.
grant temporary on database settle to settle_operator, settle_viewer, settle_auditor;
