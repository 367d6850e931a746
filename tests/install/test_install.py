# test_install.py
# FieldEdge as it is installed: for everybody (DESTDIR), and for one user (personal plugin directory and a
# prefix of his own).  What is installed works without the build tree and without LD_LIBRARY_PATH.
#
# As root, the personal installation is made and used as nobody: Wireshark ignores a personal plugin
# directory in a process of root, and says nothing.
#
# Environment: FIELDEDGE_BUILD, the build directory (ctest sets it): its compiled files are not used, only
# its compiler and generator.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
sys.path.insert(0, str(PROJECT / "tests" / "integration"))
import harness  # noqa: E402  pylint: disable=wrong-import-position

PAGES = ("fieldedge", "fieldedge-analyze", "fieldedge-capture", "fieldedge-check",
         "fieldedge-conversations", "fieldedge-deduplicate", "fieldedge-hosts",
         "fieldedge-intervals", "fieldedge-jobs", "fieldedge-periods", "fieldedge-plot",
         "fieldedge-process", "fieldedge-repair", "fieldedge-schema", "fieldedge-series",
         "fieldedge-sql", "fieldedge-summary", "fieldedge-tap", "fieldedge-watch")
SITE = harness.OWN_CAPTURES / "site.pcapng"


def run(command, **more):
    """Runs to the end; a failure shows what was said."""
    result = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, check=False,
                            timeout=harness.TIMEOUT_S, **more)
    if result.returncode != 0:
        raise AssertionError(f"{command}: exit code {result.returncode}\n{result.stdout}")
    return result.stdout


def wireshark_plugin_dir():
    """The system's plugin directory for dissectors, as tshark itself says."""
    text = run(["tshark", "-G", "folders"], env=harness.tshark_environment(plugin=False))
    return pathlib.Path(re.search(r"^Global Plugins:\s+(.+)$", text, re.MULTILINE).group(1)) / "epan"


def series():
    return wireshark_plugin_dir().parent.name


class Installation:
    """A configured, built and installed copy.  home and prefix lie in folder."""

    def __init__(self, folder, *options, destdir=None):
        self.folder = folder
        self.home = folder / "home"
        self.home.mkdir()
        self.build = folder / "build"
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LC_ALL": "C.UTF-8"}
        run(["cmake", "-S", PROJECT, "-B", self.build, "-G", "Ninja", "-DBUILD_TESTING=OFF", *options],
            env=environment)
        run(["cmake", "--build", self.build], env=environment)
        if destdir is not None:
            environment["DESTDIR"] = str(destdir)
        run(["cmake", "--install", self.build], env=environment)
        shutil.rmtree(self.build)  # what is installed must not need it
        if os.geteuid() == 0:
            for path in [folder, *folder.rglob("*")]:
                os.chown(path, harness.NOBODY, harness.NOBODY, follow_symlinks=False)

    def as_user(self, command, path, **more):
        """Runs as the user whose home this is: nobody, if the test is run by root."""
        environment = {"PATH": f"{path}:{os.environ['PATH']}", "HOME": str(self.home),
                       "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        if os.geteuid() == 0:
            command = ["setpriv", f"--reuid={harness.NOBODY}", f"--regid={harness.NOBODY}",
                       "--clear-groups", *command]
        return run(command, env=environment, cwd=self.folder, **more)


class System(unittest.TestCase):
    """cmake --install for everybody, into a DESTDIR as a packager does."""

    @classmethod
    def setUpClass(cls):
        harness.build_dir()
        cls.context = harness.work_dir()
        cls.folder = cls.context.__enter__()
        cls.root = cls.folder / "root"
        Installation(cls.folder, "-DCMAKE_INSTALL_PREFIX=/usr", destdir=cls.root)

    @classmethod
    def tearDownClass(cls):
        cls.context.__exit__(None, None, None)

    def test_plugin_is_where_wireshark_looks(self):
        plugin = self.root / str(wireshark_plugin_dir()).lstrip("/") / "fieldedge.so"
        self.assertTrue(plugin.is_file(), plugin)
        self.assertEqual([plugin], list(self.root.rglob("fieldedge.so")))

    def test_no_path_of_the_build(self):
        for found in self.root.rglob("*"):
            if found.is_file() and not found.is_symlink():
                content = found.read_bytes()
                self.assertNotIn(bytes(self.root), content, found)
                if found.suffix not in (".so",) and ".so." not in found.name and \
                        found.name != "fieldedge":  # debugging information has source paths
                    self.assertNotIn(bytes(self.folder), content, found)
        self.assertNotIn("RUNPATH", run(["readelf", "-d", self.root / "usr/bin/fieldedge"]))

    def test_only_the_public_interface_is_visible(self):
        header = "".join(path.read_text(encoding="utf-8")
                         for path in (PROJECT / "postproc").glob("fieldedge*.h"))
        library, = self.root.rglob("libfieldedge.so.*.*")
        shown = {line.split()[-1] for line in run(
            ["nm", "-D", "--defined-only", library]).splitlines()}
        self.assertIn("fieldedge_database_open", shown)
        for name in shown:
            self.assertRegex(header, rf"\b{name}\(", "visible, but not in fieldedge.h")
        plugin, = self.root.rglob("fieldedge.so")
        self.assertLessEqual({line.split()[-1] for line in run(
            ["nm", "-D", "--defined-only", plugin]).splitlines()},
            {"plugin_version", "plugin_want_major", "plugin_want_minor", "plugin_register",
             "plugin_describe"})

    def test_libraries_and_headers(self):
        config = next(self.root.rglob("fieldedge.pc"))
        self.assertTrue((config.parent.parent / "libfieldedge.so").is_symlink())
        self.assertTrue((config.parent.parent / "libfieldedge.so.0").exists())
        self.assertTrue((self.root / "usr/include/fieldedge.h").is_file())


class Personal(unittest.TestCase):
    """-DFIELDEDGE_PERSONAL_PLUGIN=ON and a prefix in the home, as the README says."""

    @classmethod
    def setUpClass(cls):
        harness.build_dir()
        cls.context = harness.work_dir()
        cls.folder = cls.context.__enter__()
        home = cls.folder / "home"
        cls.prefix = home / ".local"
        cls.it = Installation(cls.folder, "-DFIELDEDGE_PERSONAL_PLUGIN=ON",
                              f"-DCMAKE_INSTALL_PREFIX={cls.prefix}")
        cls.bin = cls.prefix / "bin"

    @classmethod
    def tearDownClass(cls):
        cls.context.__exit__(None, None, None)

    def test_plugin_is_in_the_personal_directory(self):
        expected = self.prefix / "lib/wireshark/plugins" / series() / "epan/fieldedge.so"
        self.assertEqual([expected], list(self.it.home.rglob("fieldedge.so")))

    def test_tshark_records(self):
        self.assertIn("fieldedge", self.it.as_user(["tshark", "-z", "help"], self.bin))
        self.it.as_user(["tshark", "-q", "-r", str(SITE), "-z", "fieldedge,tshark.db"], self.bin)
        with harness.connect_ro(self.folder / "tshark.db") as sql:
            self.assertEqual([tuple(row) for row in sql.execute("SELECT packets, status FROM captures")],
                             [(957, "complete")])

    def test_command_records_and_reads(self):
        self.it.as_user(["fieldedge", "process", str(SITE), "-o", "command.db"], self.bin)
        said = self.it.as_user(["fieldedge", "summary", "command.db", "--format", "csv"], self.bin)
        self.assertIn("TCP_MODBUS,1,277,", said)
        self.assertRegex(self.it.as_user(["fieldedge", "--version"], self.bin), r"\d+\.\d+\.\d+")

    def test_pkg_config_and_example(self):
        self.it.as_user(["tshark", "-q", "-r", str(SITE), "-z", "fieldedge,example.db"], self.bin)
        flags = ("export PKG_CONFIG_PATH=$PWD/home/.local/lib/pkgconfig; "
                 "cc -Wall -Werror '{0}' -o example $(pkg-config --cflags --libs fieldedge) "
                 '-Wl,-rpath,"$(pkg-config --variable=libdir fieldedge)"')
        shutil.copy(HERE / "example.c", self.folder)
        self.it.as_user(["sh", "-c", flags.format("example.c")], self.bin)
        said = self.it.as_user(["./example", "example.db"], self.bin)
        self.assertEqual(said.splitlines()[0], "TCP_MODBUS 18071")
        refused = subprocess.run([self.folder / "example", "/nonexistent.db"], capture_output=True,
                                 text=True, check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("/nonexistent.db", refused.stderr)

    def test_moved_prefix(self):
        """The command and the pkg-config file find their library wherever the prefix goes."""
        moved = self.folder / "moved"
        shutil.copytree(self.prefix, moved, symlinks=True)
        hidden = self.prefix.with_name("hidden")
        self.prefix.rename(hidden)
        try:
            self.it.as_user(["fieldedge", "--version"], moved / "bin")
            flags = self.it.as_user(["sh", "-c", "PKG_CONFIG_PATH=moved/lib/pkgconfig "
                                     "pkg-config --cflags --libs fieldedge"], moved / "bin")
            self.assertNotIn(".local", flags)
        finally:
            hidden.rename(self.prefix)
            shutil.rmtree(moved)

    def test_man_pages(self):
        folder = self.prefix / "share/man/man1"
        self.assertEqual(sorted(page.name for page in folder.iterdir()),
                         sorted(f"{name}.1" for name in PAGES))
        if shutil.which("man") is None:
            self.skipTest("man is not installed")
        for name in PAGES:
            with self.subTest(name):
                result = subprocess.run(["man", "--warnings=w", "-l", folder / f"{name}.1"], check=True,
                                        capture_output=True, text=True, timeout=60,
                                        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8",
                                             "MANWIDTH": "80", "HOME": str(self.it.home)})
                self.assertEqual(result.stderr, "")
                self.assertIn(f"{name} - ", result.stdout)
                self.assertNotRegex(result.stdout, r"[*_]{2}|\+\+|pass:\[")

    def test_every_option_is_explained(self):
        """What --help lists is in the man page, and what both shells complete."""
        shells = [(self.prefix / "share" / name).read_text(encoding="utf-8") for name in
                  ("bash-completion/completions/fieldedge", "zsh/site-functions/_fieldedge")]
        commands = re.findall(r"^  (\w+)  +[A-Z]", self.it.as_user(["fieldedge", "--help"], self.bin),
                              re.MULTILINE)
        self.assertEqual(len(commands), len(PAGES) - 2)  # the command's own page and the tap's
        for command in commands:
            page = (self.prefix / f"share/man/man1/fieldedge-{command}.1").read_text(encoding="utf-8")
            page = page.replace("\\-", "-")
            options = re.findall(r"--[a-z][a-z-]*",
                                 self.it.as_user(["fieldedge", command, "--help"], self.bin))
            self.assertIn("--help", options)
            for option in set(options):
                with self.subTest(command=command, option=option):
                    self.assertIn(option, page)
                    for shell in shells:
                        self.assertIn(option, shell)
            for shell in shells:
                self.assertRegex(shell, rf"\b{command}\b")

    def test_bash_completion(self):
        script = self.prefix / "share/bash-completion/completions/fieldedge"
        library = "/usr/share/bash-completion/bash_completion"
        if not pathlib.Path(library).exists():
            run(["bash", "-n", script])
            run(["bash", "-c", f"source '{script}' && complete -p fieldedge"])
            self.skipTest("bash-completion is not installed; the file loads")
        ask = (f"source {library}; source '{script}'; COMP_WORDS=(fieldedge su); COMP_CWORD=1; "
               "COMP_LINE='fieldedge su'; COMP_POINT=12; _fieldedge; echo \"${COMPREPLY[*]}\"")
        self.assertEqual(run(["bash", "-c", ask]).strip(), "summary")

    def test_zsh_completion(self):
        script = self.prefix / "share/zsh/site-functions/_fieldedge"
        self.assertTrue(script.read_text(encoding="utf-8").startswith("#compdef fieldedge\n"))
        if shutil.which("zsh") is None:
            self.skipTest("zsh is not installed")
        run(["zsh", "-fc", f"fpath=('{script.parent}' $fpath); autoload -Uz compinit; "
             "compinit -D -u; [[ $_comps[fieldedge] = _fieldedge ]] && autoload +X _fieldedge"])


if __name__ == "__main__":
    harness.run_module()
