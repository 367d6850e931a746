/* dictionary.c: see dictionary.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/record/dictionary.h"

#include "schema/verdicts.h"

#include <string.h>

enum { CACHE_MAX = 8192 };

/* Adding and finding are two statements: RETURNING costs several times as much. */
enum statement { ADD_HOST, FIND_HOST, ADD_APPLICATION, FIND_APPLICATION, ADD_KIND, FIND_KIND };
enum { STATEMENT_COUNT = FIND_KIND + 1 };
static const char *const statement_sql[STATEMENT_COUNT] = {
    [ADD_HOST] = "INSERT OR IGNORE INTO host (address, text) VALUES (?1, ?2)",
    [FIND_HOST] = "SELECT id FROM host WHERE address = ?1",
    [ADD_APPLICATION] = "INSERT OR IGNORE INTO application (name) VALUES (?1)",
    [FIND_APPLICATION] = "SELECT id FROM application WHERE name = ?1",
    [ADD_KIND] = "INSERT INTO packet_kind (protocol, direction, tcp_flags, verdicts, renumbered,"
                 " analysis, is_bad, is_retransmission) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [FIND_KIND] = "SELECT id FROM packet_kind WHERE protocol = ?1 AND direction = ?2"
                  " AND tcp_flags IS ?3 AND verdicts = ?4 AND renumbered = ?5",
};

/* The hash tables own their keys; ids are stored as pointers to int64 behind the keys. */
struct dictionary {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    GHashTable *hosts, *applications, *kinds;
    int failure;                  /* first code of SQLite that is none of success */
    struct packet_kind last_kind; /* consecutive packets are often of one kind */
    int64_t last_kind_id;
};

static guint kind_hash(gconstpointer key)
{
    const struct packet_kind *kind = key;
    return g_direct_hash(kind->protocol) ^ kind->verdicts * 2654435761u ^
           (guint)kind->tcp_flags * 40503u ^ kind->direction << 1 ^ kind->renumbered;
}

static bool same_kind(const struct packet_kind *a, const struct packet_kind *b)
{
    return a->protocol == b->protocol && a->verdicts == b->verdicts &&
           a->tcp_flags == b->tcp_flags && a->direction == b->direction &&
           a->renumbered == b->renumbered;
}

static gboolean kind_equal(gconstpointer a, gconstpointer b)
{
    return same_kind(a, b);
}

dictionary *dictionary_new(sqlite3 *db)
{
    dictionary *d = g_new0(dictionary, 1);
    d->db = db;
    d->hosts = g_hash_table_new_full(packet_address_hash, packet_address_equal, g_free, g_free);
    d->applications = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    d->kinds = g_hash_table_new_full(kind_hash, kind_equal, g_free, g_free);
    for (unsigned i = 0; i < STATEMENT_COUNT; i++) {
        if (sqlite3_prepare_v3(db, statement_sql[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &d->statements[i], NULL) != SQLITE_OK) {
            dictionary_free(d);
            return NULL;
        }
    }
    return d;
}

void dictionary_free(dictionary *d)
{
    if (d == NULL)
        return;
    for (unsigned i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(d->statements[i]);
    g_hash_table_destroy(d->hosts);
    g_hash_table_destroy(d->applications);
    g_hash_table_destroy(d->kinds);
    g_free(d);
}

int dictionary_failure(const dictionary *d)
{
    return d->failure;
}

static void note_failure(dictionary *d, int rc)
{
    if (d->failure == SQLITE_OK)
        d->failure = rc;
}

/* Runs an INSERT: the id of its row, 0 if it was there already. */
static int64_t add(dictionary *d, enum statement which)
{
    int rc = sqlite3_step(d->statements[which]);
    if (rc != SQLITE_DONE)
        note_failure(d, rc);
    bool added = rc == SQLITE_DONE && sqlite3_changes(d->db) > 0;
    sqlite3_reset(d->statements[which]);
    return added ? sqlite3_last_insert_rowid(d->db) : 0;
}

/* Runs a SELECT of an id: 0 if there is no row. */
static int64_t find(dictionary *d, enum statement which)
{
    int64_t id = 0;
    int rc = sqlite3_step(d->statements[which]);
    if (rc == SQLITE_ROW)
        id = sqlite3_column_int64(d->statements[which], 0);
    else if (rc != SQLITE_DONE)
        note_failure(d, rc);
    sqlite3_reset(d->statements[which]);
    return id;
}

static void cache_add(GHashTable *cache, gpointer key, int64_t id)
{
    if (g_hash_table_size(cache) >= CACHE_MAX)
        g_hash_table_remove_all(cache);
    int64_t *value = g_new(int64_t, 1);
    *value = id;
    g_hash_table_insert(cache, key, value);
}

int64_t dictionary_host(dictionary *d, const struct packet_address *address)
{
    char text[PACKET_ADDRESS_TEXT_MAX];
    const int64_t *known = g_hash_table_lookup(d->hosts, address);
    if (known != NULL)
        return *known;
    packet_address_text(address, text);
    sqlite3_bind_blob(d->statements[ADD_HOST], 1, address->bytes, address->length, SQLITE_STATIC);
    sqlite3_bind_text(d->statements[ADD_HOST], 2, text, -1, SQLITE_STATIC);
    int64_t id = add(d, ADD_HOST);
    sqlite3_bind_blob(d->statements[FIND_HOST], 1, address->bytes, address->length, SQLITE_STATIC);
    if (id == 0 && d->failure == SQLITE_OK)
        id = find(d, FIND_HOST);
    if (d->failure == SQLITE_OK)
        cache_add(d->hosts, g_memdup2(address, sizeof *address), id);
    return id;
}

int64_t dictionary_application(dictionary *d, const char *label)
{
    const int64_t *known = g_hash_table_lookup(d->applications, label);
    if (known != NULL)
        return *known;
    sqlite3_bind_text(d->statements[ADD_APPLICATION], 1, label, -1, SQLITE_STATIC);
    int64_t id = add(d, ADD_APPLICATION);
    sqlite3_bind_text(d->statements[FIND_APPLICATION], 1, label, -1, SQLITE_STATIC);
    if (id == 0 && d->failure == SQLITE_OK)
        id = find(d, FIND_APPLICATION);
    if (d->failure == SQLITE_OK)
        cache_add(d->applications, g_strdup(label), id);
    return id;
}

static void bind_kind(sqlite3_stmt *statement, const struct packet_kind *kind)
{
    sqlite3_bind_text(statement, 1, kind->protocol, -1, SQLITE_STATIC);
    sqlite3_bind_int(statement, 2, kind->direction);
    if (kind->tcp_flags >= 0)
        sqlite3_bind_int(statement, 3, kind->tcp_flags);
    else
        sqlite3_bind_null(statement, 3);
    sqlite3_bind_int64(statement, 4, kind->verdicts);
    sqlite3_bind_int(statement, 5, kind->renumbered);
}

static int64_t kind_insert(dictionary *d, const struct packet_kind *kind)
{
    char analysis[VERDICT_TEXT_MAX];
    verdicts_text(kind->verdicts, analysis);
    bind_kind(d->statements[ADD_KIND], kind);
    if (analysis[0] != '\0')
        sqlite3_bind_text(d->statements[ADD_KIND], 6, analysis, -1, SQLITE_TRANSIENT);
    else
        sqlite3_bind_null(d->statements[ADD_KIND], 6);
    sqlite3_bind_int(d->statements[ADD_KIND], 7, (kind->verdicts & VERDICTS_BAD) != 0);
    sqlite3_bind_int(d->statements[ADD_KIND], 8, (kind->verdicts & VERDICTS_RETRANSMISSION) != 0);
    return add(d, ADD_KIND);
}

int64_t dictionary_kind(dictionary *d, const struct packet_kind *kind)
{
    if (d->last_kind_id != 0 && same_kind(kind, &d->last_kind))
        return d->last_kind_id;
    const int64_t *known = g_hash_table_lookup(d->kinds, kind);
    int64_t id = known != NULL ? *known : 0;
    if (id == 0) {
        bind_kind(d->statements[FIND_KIND], kind);
        id = find(d, FIND_KIND);
        if (id == 0 && d->failure == SQLITE_OK)
            id = kind_insert(d, kind);
        if (d->failure == SQLITE_OK)
            cache_add(d->kinds, g_memdup2(kind, sizeof *kind), id);
    }
    d->last_kind = *kind;
    d->last_kind_id = id;
    return id;
}
