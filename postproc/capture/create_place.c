/* create_place.c
 * Arguments, name and place of a capture: DIRECTORY/capture_20261124/NAME.
 *
 * The name is taken with O_EXCL, before dumpcap runs: no capture replaces a file.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "create.h"

#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_MOST = 255 };

/* ---- Arguments ---- */

static bool refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static bool refuse(GError **error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ARGUMENT, text);
    return false;
}

static bool has_control(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((guchar)*text < ' ' || *text == 0x7f)
            return true;
    }
    return false;
}

static bool check_name(const char *name, GError **error)
{
    static const char *const packers[] = {".gz", ".zst", ".lz4"};

    if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return refuse(error, "'%s' is no name for a file", name);
    if (strchr(name, '/') != NULL)
        return refuse(error,
                      "%s: the name of a capture cannot contain a path; give the directory "
                      "by itself",
                      name);
    if (has_control(name))
        return refuse(error,
                      "%s: the name of a capture cannot contain a line break or another "
                      "control character",
                      name);
    if (strlen(name) > NAME_MOST)
        return refuse(error, "%s: the name of a capture can have at most %d bytes", name,
                      NAME_MOST);
    for (size_t i = 0; i < G_N_ELEMENTS(packers); i++) {
        if (g_str_has_suffix(name, packers[i]))
            return refuse(error, "%s: captures are not written compressed; leave out %s", name,
                          packers[i]);
    }
    return true;
}

/* Options of dumpcap that would take away what is set here, or do something else than capture. */
static bool check_options(const FieldEdgeCaptureRun *setup, GError **error)
{
    static const struct {
        const char *start, *instead;
    } taken[] = {
        {"-w", "choose directory and name"},
        {"-i", "name the interface"},
        {"-a", NULL},
        {"-f", "set the filter"},
        {"-s", "set the snap length"},
        {"-b", "a ring of files is another command's"},
        {"-P", "the name decides"},
        {"-n", "the name decides"},
        {"-q", "dumpcap must count"},
        {"-Z", "it is not for users"},
        {"-D", "list the interfaces"},
        {"-L", "run dumpcap itself"},
        {"-S", "run dumpcap itself"},
        {"-d", "run dumpcap itself"},
        {"-v", "run dumpcap itself"},
        {"-h", "run dumpcap itself"},
        {"--interface", "name the interface"},
        {"--autostop", NULL},
        {"--ring-buffer", "a ring of files is another command's"},
        {"--snapshot-length", "set the snap length"},
        {"--list", "run dumpcap itself"},
        {"--version", "run dumpcap itself"},
        {"--help", "run dumpcap itself"},
    };

    for (char **at = setup->options; at != NULL && *at != NULL; at++) {
        for (size_t i = 0; i < G_N_ELEMENTS(taken); i++) {
            if (!g_str_has_prefix(*at, taken[i].start) ||
                (taken[i].start[1] != '-' && (*at)[1] == '-'))
                continue;
            if (taken[i].instead != NULL)
                return refuse(error, "%s: this option of dumpcap cannot be passed on: %s", *at,
                              taken[i].instead);
            if (strstr(*at, "duration:") != NULL ||
                (at[1] != NULL && g_str_has_prefix(at[1], "duration:")))
                return refuse(error, "%s: set the duration by itself", *at);
        }
    }
    return true;
}

bool create_check(const FieldEdgeCaptureRun *setup, GError **error)
{
    if (*setup->interface == '\0')
        return refuse(error, "the name of the interface is empty");
    if (strcmp(setup->interface, "-") == 0)
        return refuse(error, "standard input is no interface");
    if (setup->seconds < 1)
        return refuse(error, "a duration of %" G_GINT64_FORMAT " s cannot be: it is at least 1 s",
                      setup->seconds);
    if (setup->seconds > G_MAXINT32)
        return refuse(error,
                      "a duration of %" G_GINT64_FORMAT " s is more than dumpcap takes, "
                      "which is %d",
                      setup->seconds, G_MAXINT32);
    if (setup->snap_length < 0 || setup->snap_length > 262144)
        return refuse(error,
                      "a snap length of %" G_GINT64_FORMAT " cannot be: it is 1 to 262144 "
                      "bytes, or 0 for the most",
                      setup->snap_length);
    if (setup->name != NULL && !check_name(setup->name, error))
        return false;
    return check_options(setup, error);
}

/* ---- Name and place ---- */

/* The interface's name where a slash, a blank or what is not ASCII is an underscore. */
static char *name_part(const char *interface)
{
    char *part = g_strndup(interface, 64);

    for (char *at = part; *at != '\0'; at++) {
        if (!g_ascii_isalnum(*at) && strchr(".-:@", *at) == NULL)
            *at = '_';
    }
    return part;
}

/* "capture_20261124T160719_600_eth1", in UTC. */
static char *default_name(const FieldEdgeCaptureRun *setup, GDateTime *now)
{
    g_autofree char *time = g_date_time_format(now, "%Y%m%dT%H%M%S");
    g_autofree char *part = name_part(setup->interface);

    return g_strdup_printf("capture_%s_%" G_GINT64_FORMAT "_%s", time, setup->seconds, part);
}

static bool make_folder(const FieldEdgeCaptureRun *setup, struct create_place *place,
                        GDateTime *now, GError **error)
{
    const char *home = g_get_home_dir();
    const char *directory = setup->directory != NULL ? setup->directory : home;
    g_autofree char *day = g_date_time_format(now, "capture_%Y%m%d");
    struct stat status;

    if (stat(directory, &status) != 0) {
        file_failed(directory, "captures cannot be put there", errno, error);
        return false;
    }
    if (!S_ISDIR(status.st_mode))
        return refuse(error, "%s: captures cannot be put there: this is no directory", directory);
    place->folder =
        setup->has_subdirectory ? g_build_filename(directory, day, NULL) : g_strdup(directory);
    place->made_folder = setup->has_subdirectory && mkdir(place->folder, 0777) == 0;
    if (place->made_folder || !setup->has_subdirectory || errno == EEXIST)
        return true;
    file_failed(place->folder, "the directory cannot be made", errno, error);
    return false;
}

static int claim(struct create_place *place, const char *name)
{
    int file;

    g_free(place->path);
    place->path = g_build_filename(place->folder, name, NULL);
    file = open(place->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) {
        g_clear_pointer(&place->path, g_free);
        return errno;
    }
    close(file);
    return 0;
}

/* Two captures of one second and interface: the second is called …_2. */
static bool claim_name(const FieldEdgeCaptureRun *setup, struct create_place *place, GDateTime *now,
                       GError **error)
{
    g_autofree char *base = default_name(setup, now);
    g_autofree char *name = g_strdup(setup->name);
    bool is_chosen = name != NULL;
    int number = EEXIST;

    for (int i = 1; number == EEXIST && i < (is_chosen ? 2 : 100); i++) {
        if (!is_chosen) {
            g_free(name);
            name =
                i == 1 ? g_strdup_printf("%s.pcap", base) : g_strdup_printf("%s_%d.pcap", base, i);
        }
        number = claim(place, name);
    }
    place->is_pcapng = g_str_has_suffix(name, ".pcapng") || g_str_has_suffix(name, ".ntar");
    if (number == 0)
        return true;
    g_autofree char *path = g_build_filename(place->folder, name, NULL);
    if (number == EEXIST)
        return refuse(error,
                      "%s: the file is there already; a capture never replaces one, choose "
                      "another name",
                      path);
    file_failed(path, "the capture cannot be made", number, error);
    return false;
}

bool create_claim(const FieldEdgeCaptureRun *setup, struct create_place *place, GError **error)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();

    return make_folder(setup, place, now, error) && claim_name(setup, place, now, error);
}
