/* dictionary.c: see dictionary.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/record/dictionary.h"

#include "plugin/record/verdicts.h"

#include <arpa/inet.h>
#include <string.h>

enum { CACHE_MAX = 8192, ADDRESS_TEXT_MAX = 64 };

/* DO UPDATE with no change makes RETURNING answer for a row that was there. */
static const char host_sql[] =
    "INSERT INTO host (address, text) VALUES (?1, ?2)"
    " ON CONFLICT (address) DO UPDATE SET text = text RETURNING id";
static const char application_sql[] =
    "INSERT INTO application (name) VALUES (?1)"
    " ON CONFLICT (name) DO UPDATE SET name = name RETURNING id";
static const char kind_find_sql[] =
    "SELECT id FROM packet_kind WHERE protocol = ?1 AND direction = ?2 AND tcp_flags IS ?3"
    " AND verdicts = ?4 AND renumbered = ?5";
static const char kind_insert_sql[] =
    "INSERT INTO packet_kind (protocol, direction, tcp_flags, verdicts, renumbered, analysis, is_bad,"
    " is_retransmission) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) RETURNING id";

/* The hash tables own their keys; ids are stored as pointers to int64 behind the keys. */
struct dictionary {
    sqlite3_stmt *host, *application, *kind_find, *kind_insert;
    GHashTable *hosts, *applications, *kinds;
    int failure; /* first code of SQLite that is none of success */
    struct packet_kind last_kind; /* consecutive packets are often of one kind */
    int64_t last_kind_id;
};

static guint address_hash(gconstpointer key)
{
    const struct packet_address *address = key;
    guint hash = 5381;
    for (unsigned i = 0; i < address->length; i++)
        hash = hash * 33 + address->bytes[i];
    return hash;
}

static gboolean address_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, sizeof(struct packet_address)) == 0;
}

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
    d->hosts = g_hash_table_new_full(address_hash, address_equal, g_free, g_free);
    d->applications = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    d->kinds = g_hash_table_new_full(kind_hash, kind_equal, g_free, g_free);
    if (sqlite3_prepare_v3(db, host_sql, -1, SQLITE_PREPARE_PERSISTENT, &d->host, NULL) == SQLITE_OK &&
        sqlite3_prepare_v3(db, application_sql, -1, SQLITE_PREPARE_PERSISTENT, &d->application,
                           NULL) == SQLITE_OK &&
        sqlite3_prepare_v3(db, kind_find_sql, -1, SQLITE_PREPARE_PERSISTENT, &d->kind_find, NULL) ==
            SQLITE_OK &&
        sqlite3_prepare_v3(db, kind_insert_sql, -1, SQLITE_PREPARE_PERSISTENT, &d->kind_insert,
                           NULL) == SQLITE_OK)
        return d;
    dictionary_free(d);
    return NULL;
}

void dictionary_free(dictionary *d)
{
    if (d == NULL)
        return;
    sqlite3_finalize(d->host);
    sqlite3_finalize(d->application);
    sqlite3_finalize(d->kind_find);
    sqlite3_finalize(d->kind_insert);
    g_hash_table_destroy(d->hosts);
    g_hash_table_destroy(d->applications);
    g_hash_table_destroy(d->kinds);
    g_free(d);
}

int dictionary_failure(const dictionary *d)
{
    return d->failure;
}

/* Runs a statement that returns an id; 0 if it returns no row. */
static int64_t run_for_id(dictionary *d, sqlite3_stmt *statement)
{
    int64_t id = 0;
    int rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW) {
        id = sqlite3_column_int64(statement, 0);
        rc = sqlite3_step(statement);
    }
    if (rc != SQLITE_DONE && d->failure == SQLITE_OK)
        d->failure = rc;
    sqlite3_reset(statement);
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

static void address_text(const struct packet_address *address, char text[ADDRESS_TEXT_MAX])
{
    text[0] = '\0';
    if (address->length == 4 || address->length == 16) {
        inet_ntop(address->length == 4 ? AF_INET : AF_INET6, address->bytes, text, ADDRESS_TEXT_MAX);
        return;
    }
    for (unsigned i = 0; i < address->length; i++)
        g_snprintf(text + (i > 0 ? i * 3 - 1 : 0), 4, i > 0 ? ":%02x" : "%02x", address->bytes[i]);
    if (address->length == 0)
        g_strlcpy(text, "unknown", ADDRESS_TEXT_MAX);
}

int64_t dictionary_host(dictionary *d, const struct packet_address *address)
{
    char text[ADDRESS_TEXT_MAX];
    const int64_t *known = g_hash_table_lookup(d->hosts, address);
    if (known != NULL)
        return *known;
    address_text(address, text);
    sqlite3_bind_blob(d->host, 1, address->bytes, address->length, SQLITE_STATIC);
    sqlite3_bind_text(d->host, 2, text, -1, SQLITE_STATIC);
    int64_t id = run_for_id(d, d->host);
    if (d->failure == SQLITE_OK)
        cache_add(d->hosts, g_memdup2(address, sizeof *address), id);
    return id;
}

int64_t dictionary_application(dictionary *d, const char *label)
{
    const int64_t *known = g_hash_table_lookup(d->applications, label);
    if (known != NULL)
        return *known;
    sqlite3_bind_text(d->application, 1, label, -1, SQLITE_STATIC);
    int64_t id = run_for_id(d, d->application);
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
    bind_kind(d->kind_insert, kind);
    if (analysis[0] != '\0')
        sqlite3_bind_text(d->kind_insert, 6, analysis, -1, SQLITE_TRANSIENT);
    else
        sqlite3_bind_null(d->kind_insert, 6);
    sqlite3_bind_int(d->kind_insert, 7, (kind->verdicts & VERDICTS_BAD) != 0);
    sqlite3_bind_int(d->kind_insert, 8, (kind->verdicts & VERDICTS_RETRANSMISSION) != 0);
    return run_for_id(d, d->kind_insert);
}

int64_t dictionary_kind(dictionary *d, const struct packet_kind *kind)
{
    if (d->last_kind_id != 0 && same_kind(kind, &d->last_kind))
        return d->last_kind_id;
    const int64_t *known = g_hash_table_lookup(d->kinds, kind);
    int64_t id = known != NULL ? *known : 0;
    if (id == 0) {
        bind_kind(d->kind_find, kind);
        id = run_for_id(d, d->kind_find);
        if (id == 0 && d->failure == SQLITE_OK)
            id = kind_insert(d, kind);
        if (d->failure == SQLITE_OK)
            cache_add(d->kinds, g_memdup2(kind, sizeof *kind), id);
    }
    d->last_kind = *kind;
    d->last_kind_id = id;
    return id;
}
