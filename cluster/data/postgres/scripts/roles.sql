-- Roles and databases: each program logs in as itself and reaches its own tables only. Runs after the migrations, again
-- after every change of a password, and any number of times. Passwords come from the environment, so that no process
-- list shows them; the server stores SCRAM verifiers.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
\getenv blog_password BLOG_PASSWORD
\getenv bridge_password BRIDGE_PASSWORD
\getenv comments_password COMMENTS_PASSWORD
\getenv dagster_password DAGSTER_PASSWORD
\getenv exporter_password EXPORTER_PASSWORD

SELECT format('CREATE ROLE %I', name)
FROM unnest(ARRAY['blog', 'bridge', 'comments', 'dagster', 'exporter']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
SET log_statement = none;
SET log_min_duration_statement = -1;
ALTER ROLE blog LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION CONNECTION LIMIT 20 PASSWORD :'blog_password';
ALTER ROLE bridge LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION CONNECTION LIMIT 20 PASSWORD :'bridge_password';
ALTER ROLE comments LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION CONNECTION LIMIT 10 PASSWORD :'comments_password';
ALTER ROLE dagster LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION CONNECTION LIMIT 15 PASSWORD :'dagster_password';
ALTER ROLE exporter LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION CONNECTION LIMIT 3 PASSWORD :'exporter_password';
GRANT pg_monitor TO exporter;

-- The bridge and Dagster make their own tables, so each owns its database.
SELECT format('CREATE DATABASE %I OWNER %I', name, name)
FROM unnest(ARRAY['bridge', 'dagster']) AS name
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = name) \gexec
REVOKE ALL ON DATABASE blog, bridge, dagster, postgres FROM PUBLIC;
GRANT CONNECT ON DATABASE blog TO blog, comments, exporter;
GRANT CONNECT ON DATABASE bridge, dagster, postgres TO exporter;

-- The blog's tables belong to its migrations, which run as postgres: the program reads and writes rows, never the schema.
\connect blog
SET client_min_messages = warning;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
GRANT USAGE ON SCHEMA public TO blog, comments, exporter;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO blog;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO blog;
ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO blog;
ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA public GRANT USAGE ON SEQUENCES TO blog;
REVOKE INSERT, UPDATE, DELETE ON schema_migrations FROM blog;
REVOKE INSERT, UPDATE, DELETE ON porchlight_comments FROM blog;
-- What a summary needs of a thread, and nothing else: neither drafts nor removed comments.
GRANT SELECT ON porchlight_comments TO comments;
