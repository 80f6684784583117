-- What the bridge reads of a thread when it is asked for a summary by its id alone (bridge/README.md): published, not removed.
CREATE VIEW porchlight_comments AS
SELECT c.post_id AS thread_id, c.id, NULL::text AS parent_id, c.author, c.created_at, c.edited_at, 0 AS votes,
  c.body AS text, p.title
FROM comments c JOIN posts p ON p.id = c.post_id
WHERE c.deleted_at IS NULL AND p.status = 'published';
