-- Server names by application.
SELECT application, server_name, count(*) AS conversations
  FROM conversations WHERE server_name IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2
