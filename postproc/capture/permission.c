/* permission.c
 * Who may capture: root with CAP_NET_RAW; who may run a dumpcap that has the file capabilities
 * cap_net_raw and cap_net_admin (Debian gives that to the group wireshark) or is setuid root; who
 * has CAP_NET_RAW as an ambient capability (a systemd unit).  File capabilities count for nothing
 * in a process with no_new_privs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "permission.h"

#include <errno.h>
#include <glib.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static bool has_ambient(void)
{
    return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_NET_RAW, 0, 0) == 1;
}

/* Whether exec() of the file gives CAP_NET_RAW. */
static bool file_gives_it(const char *path, const struct stat *status)
{
    struct vfs_ns_cap_data data;
    ssize_t length = getxattr(path, "security.capability", &data, sizeof data);

    if (status->st_uid == 0 && (status->st_mode & S_ISUID) != 0)
        return true;
    return length >= (ssize_t)sizeof(struct vfs_cap_data) - 8 &&
           (GUINT32_FROM_LE(data.data[0].permitted) & 1u << CAP_NET_RAW) != 0;
}

static char *missing_group(const char *dumpcap, gid_t group)
{
    const struct group *entry = getgrgid(group);
    g_autofree char *number = g_strdup_printf("%lu", (unsigned long)group);
    const char *name = entry != NULL ? entry->gr_name : number;

    return g_strdup_printf("you are not in the group %s, which may run %s; add yourself with "
                           "\"sudo usermod -aG %s $USER\" and log in again",
                           name, dumpcap, name);
}

static char *missing_capability(const char *dumpcap)
{
    return g_strdup_printf("%s has not the capability cap_net_raw, so only root can capture; on "
                           "Debian let \"sudo dpkg-reconfigure wireshark-common\" give it to the "
                           "group wireshark, elsewhere run \"sudo setcap "
                           "cap_net_raw,cap_net_admin=eip %s\"",
                           dumpcap, dumpcap);
}

char *permission_missing(const char *dumpcap)
{
    struct stat status;

    if (stat(dumpcap, &status) != 0)
        return NULL;
    if (access(dumpcap, X_OK) != 0)
        return missing_group(dumpcap, status.st_gid);
    if (geteuid() == 0 || has_ambient()) {
        if (prctl(PR_CAPBSET_READ, CAP_NET_RAW, 0, 0, 0) == 1)
            return NULL;
        return g_strdup("this process may not have the capability cap_net_raw, not even as root: "
                        "give it to the container or the systemd unit");
    }
    if (!file_gives_it(dumpcap, &status))
        return missing_capability(dumpcap);
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
        return g_strdup_printf("the capability cap_net_raw of %s does not count in this process, "
                               "which has no_new_privs set (NoNewPrivileges= of a systemd unit, "
                               "or a container)",
                               dumpcap);
    return NULL;
}
