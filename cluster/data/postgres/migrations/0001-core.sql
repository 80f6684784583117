CREATE TABLE posts (
  id text PRIMARY KEY,
  slug text NOT NULL UNIQUE,
  title text NOT NULL,
  content text,
  excerpt text,
  status text NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'published')),
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE tags (name text PRIMARY KEY, count integer NOT NULL DEFAULT 0 CHECK (count >= 0));
CREATE TABLE post_tags (
  post_id text NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
  tag_name text NOT NULL REFERENCES tags (name) ON DELETE CASCADE,
  PRIMARY KEY (post_id, tag_name)
);
