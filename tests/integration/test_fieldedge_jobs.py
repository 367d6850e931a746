#!/usr/bin/python3
# test_fieldedge_jobs.py: --background and fieldedge jobs, with captures of the loopback interface and with
# stand-ins for dumpcap.  What happens to a job is looked at from other processes, as from another shell.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import json
import os
import pathlib
import pty
import random
import signal
import socket
import struct
import subprocess
import time
import unittest

from test_fieldedge_support import COMMAND, TestCase, run

HEADER = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)


def wait_until(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come")
        time.sleep(0.02)


class Jobs(TestCase):
    def setUp(self):
        super().setUp()
        self.state = self.folder / "state"
        self.home = self.folder / "home"
        self.home.mkdir()
        self.environment = {"HOME": str(self.home), "XDG_STATE_HOME": str(self.state)}
        self.started = []
        self.addCleanup(self.end_all)
        # Begins, and ends on a signal; its file is its fourth argument.
        self.dumpcap = self.stand_in("trap 'kill $!; exit 0' INT TERM\necho 'File: x' >&2\n"
                                     "sleep 120 &\nwait")

    def stand_in(self, script, name="dumpcap"):
        path = self.folder / name
        (self.folder / "header").write_bytes(HEADER)
        path.write_text(f"#!/bin/sh\ncat '{self.folder / 'header'}' > \"$4\"\n{script}\n")
        path.chmod(0o755)
        return path

    def end_all(self):
        for job in self.jobs():
            if job["state"] == "running":
                run("jobs", "stop", "--force", job["id"], env=self.environment)

    def run_(self, *arguments, **more):
        return run(*arguments, env=self.environment, **more)

    def background(self, *arguments, dumpcap=None):
        result = self.run_("capture", "-i", "a", "-d", "100", "--background", "--dumpcap",
                           dumpcap or self.dumpcap, *arguments)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return int(result.stdout)

    def jobs(self):
        result = self.run_("jobs", "--format", "json")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return json.loads(result.stdout)

    def job(self, number):
        result = self.run_("jobs", "show", number, "--format", "json")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        (job,) = json.loads(result.stdout)
        return job

    def test_none(self):
        self.assertEqual(self.jobs(), [])
        self.assertFalse(self.state.exists(), "listing made a directory")

    def test_life(self):
        before = time.time()
        number = self.background("--name", "x y.pcap")
        job = self.job(number)
        self.assertEqual((job["id"], job["state"], job["ended"], job["exit_code"]),
                         (1, "running", None, None))
        self.assertTrue(before - 1 < job["started"] < time.time() + 1)
        self.assertEqual(job["command"], f"fieldedge capture -i a -d 100 --dumpcap {self.dumpcap} "
                                         "--name 'x y.pcap'")
        wait_until(lambda: self.job(number)["progress"], "the progress")
        self.assertRegex(self.job(number)["progress"], r"^a: 1:\d\d left, 0 packets, 24 bytes")
        path = pathlib.Path(self.job(number)["result"])
        self.assertEqual((path.name, path.read_bytes()), ("x y.pcap", HEADER))
        self.assertEqual(self.run_("jobs", "wait", number, "--timeout", "0").returncode, 4)
        self.fail_with(1, ["it is running", "stop"], "jobs", "remove", number, env=self.environment)
        self.assertEqual(self.run_("jobs", "stop", number).returncode, 0)
        job = self.job(number)
        self.assertEqual((job["state"], job["exit_code"], job["result"]), ("stopped", 0, str(path)))
        waited = self.run_("jobs", "wait", number)
        self.assertEqual((waited.returncode, waited.stdout, waited.stderr), (0, f"{path}\n", ""))
        self.fail_with(1, ["ended already"], "jobs", "stop", number, env=self.environment)
        shown = self.run_("jobs", "show", number).stdout
        for words in ("state     stopped", "exit code 0", f"result    {path}"):
            self.assertIn(words, shown)
        self.assertEqual(self.run_("jobs", "remove", number).returncode, 0)
        self.assertEqual(self.jobs(), [])
        self.assertTrue(path.exists())
        self.assertEqual(self.background(), 2, "a number was given twice")

    def test_done(self):
        number = self.background(dumpcap=self.stand_in("echo 'File: x' >&2", "short"))
        self.assertEqual(self.run_("jobs", "wait", number).returncode, 0)
        self.assertEqual(self.job(number)["state"], "done")

    def test_failed(self):
        """Ended early by itself: its exit code and its words."""
        go = self.folder / "go"
        os.mkfifo(go)
        number = self.background(dumpcap=self.stand_in(
            f"echo 'File: x' >&2; sleep 1; read x < '{go}'; echo 'dumpcap: no more' >&2; exit 2", "bad"))
        self.assertEqual(self.job(number)["state"], "running")
        go.write_text("\n", "ascii")
        result = self.run_("jobs", "wait", number)
        self.assertEqual(result.returncode, 3)
        self.assertIn("no more", result.stderr)
        job = self.job(number)
        self.assertEqual((job["state"], job["exit_code"]), ("failed", 3))
        self.assertIn("no more", job["message"])
        self.assertIn("no more", pathlib.Path(job["log"]).read_text("utf-8"))
        self.assertEqual(result.stdout, job["result"] + "\n")

    def test_cannot_begin(self):
        """Said at once, as if it were in the foreground; no job is left."""
        self.fail_with(1, ["exit code 9"], "capture", "-i", "a", "--background", "--dumpcap",
                       self.stand_in("exit 9", "bad"), env=self.environment)
        self.fail_with(1, ["no-such-dumpcap"], "capture", "-i", "a", "--background", "--dumpcap",
                       "no-such-dumpcap", env=self.environment)
        self.fail_with(2, ["duration"], "capture", "-i", "a", "-d", "-1", "--background",
                       env=self.environment)
        self.assertEqual(self.jobs(), [])

    def test_killed(self):
        for round_ in range(5):
            with self.subTest(round_):
                number = self.background()
                stop = time.monotonic() + random.random() / 5
                while time.monotonic() < stop:
                    pass
                os.kill(self.job(number)["process"], signal.SIGKILL)
                result = self.run_("jobs", "wait", number)
                self.assertEqual(result.returncode, 1)
                self.assertIn(f"job {number} died", result.stderr)
                self.assertEqual(result.stdout, self.job(number)["result"] + "\n")
                self.assertEqual(self.job(number)["state"], "died")
                self.fail_with(1, ["does not run"], "jobs", "stop", number, env=self.environment)

    def change(self, number, old, new):
        path = self.state / "fieldedge" / "jobs" / str(number) / "state"
        text = path.read_text("utf-8")
        self.assertIn(old, text)
        path.write_text(text.replace(old, new), "utf-8")

    def test_used_process_id(self):
        """The process of the id is another one: it is neither believed nor hit."""
        number = self.background()
        process = self.job(number)["process"]
        os.kill(process, signal.SIGKILL)
        self.run_("jobs", "wait", number)
        with subprocess.Popen(["sleep", "60"]) as other:
            self.change(number, f"process={process}", f"process={other.pid}")
            self.assertEqual(self.job(number)["state"], "died")
            self.fail_with(1, ["does not run"], "jobs", "stop", "--force", number,
                           env=self.environment)
            self.assertIsNone(other.poll())
            other.kill()

    def test_reboot(self):
        number = self.background()
        boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        self.change(number, boot, "00000000-0000-0000-0000-000000000000")
        self.assertEqual(self.job(number)["state"], "lost")
        result = self.run_("jobs", "wait", number)
        self.assertEqual(result.returncode, 1)
        self.assertIn("machine went down", result.stderr)
        self.change(number, "00000000-0000-0000-0000-000000000000", boot)

    def test_terminal_goes_away(self):
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(COMMAND, [COMMAND, "capture", "-i", "a", "-d", "100", "--background",
                                "--dumpcap", str(self.dumpcap)], {**os.environ, **self.environment})
        said = b""
        while not said.endswith(b"\r\n"):
            said += os.read(terminal, 100)
        self.assertEqual(said, b"1\r\n")
        os.waitpid(pid, 0)
        os.close(terminal)
        job = self.job(1)
        self.assertEqual(job["state"], "running")
        stat = pathlib.Path(f"/proc/{job['process']}/stat").read_text("ascii").rsplit(")", 1)[1].split()
        self.assertEqual(stat[4], "0", "it has a terminal")
        for number in (0, 1, 2):
            self.assertNotIn("pts", os.readlink(f"/proc/{job['process']}/fd/{number}"))
        os.kill(job["process"], signal.SIGHUP)
        self.assertEqual(self.run_("jobs", "wait", 1, "--timeout", 1).returncode, 4)

    def test_caller_is_not_held(self):
        """Who reads the number through a pipe sees its end while the job runs."""
        result = subprocess.run(f"'{COMMAND}' capture -i a -d 100 --background --dumpcap "
                                f"'{self.dumpcap}' | cat", shell=True, capture_output=True, text=True,
                                env={**os.environ, **self.environment}, timeout=30, check=True)
        self.assertEqual(self.job(int(result.stdout))["state"], "running")

    def test_many_at_once(self):
        command = [COMMAND, "capture", "-i", "a", "-d", "100", "--background", "--dumpcap",
                   str(self.dumpcap)]
        started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True,
                                    env={**os.environ, **self.environment}) for _ in range(6)]
        numbers = sorted(int(process.communicate()[0]) for process in started)
        self.assertEqual(numbers, [1, 2, 3, 4, 5, 6])
        jobs = self.jobs()
        self.assertEqual([job["state"] for job in jobs], ["running"] * 6)
        self.assertEqual(len({job["result"] for job in jobs}), 6)
        self.assertEqual(self.run_("jobs", "stop", *numbers).returncode, 0)
        self.assertEqual([job["state"] for job in self.jobs()], ["stopped"] * 6)

    def test_two_real_ones(self):
        if os.geteuid() != 0:
            self.skipTest("live capture needs root")
        numbers = [self.background("-f", f"udp port {port}", "-i", "lo", dumpcap="dumpcap")
                   for port in (47001, 47002)]
        self.assertEqual(self.run_("jobs", "stop", *numbers).returncode, 0)
        for number in numbers:
            path = self.run_("jobs", "wait", number).stdout.rstrip("\n")
            subprocess.run(["capinfos", "-c", path], check=True, capture_output=True)

    def test_real_one_killed(self):
        """dumpcap ends with the job, and the file is whole."""
        if os.geteuid() != 0:
            self.skipTest("live capture needs root")
        number = self.background("-i", "lo", "-f", "udp port 47001", dumpcap="dumpcap")
        job = self.job(number)
        process = job["process"]
        (dumpcap,) = pathlib.Path(f"/proc/{process}/task/{process}/children").read_text("ascii").split()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            def seen():
                sender.sendto(bytes(100), ("127.0.0.1", 47001))
                return os.path.getsize(job["result"]) > 24
            wait_until(seen, "the first packet")
        os.kill(process, signal.SIGKILL)
        self.assertEqual(self.run_("jobs", "wait", number).returncode, 1)
        wait_until(lambda: not pathlib.Path(f"/proc/{dumpcap}").exists(), "the end of dumpcap")
        checked = self.run_("check", "--quick", job["result"], "--format", "json")
        self.assertEqual(checked.returncode, 0, checked.stdout)
        self.assertGreater(json.loads(checked.stdout)[0]["packets"], 0)

    def test_bad_input(self):
        self.fail_with(1, ["job 7", "no such job"], "jobs", "show", "7", env=self.environment)
        self.fail_with(1, ["job 7", "no such job"], "jobs", "wait", "7", env=self.environment)
        self.fail_with(1, ["job 7", "no such job"], "jobs", "remove", "7", env=self.environment)
        for arguments in (["show"], ["wait", "x"], ["stop", "-1"], ["stop", "../1"], ["wait", "0"],
                          ["fly", "1"], ["wait", "1", "--timeout", "soon"], ["--format", "xml"]):
            with self.subTest(arguments):
                self.fail_with(2, ["jobs --help"], "jobs", *arguments, env=self.environment)

    def test_damaged_state(self):
        number = self.background()
        process = self.job(number)["process"]
        folder = self.state / "fieldedge" / "jobs"
        (folder / "9").mkdir()
        (folder / "9" / "state").write_bytes(b"\0\xff[[nonsense")
        (folder / "what").mkdir()
        self.assertEqual([job["id"] for job in self.jobs()], [number])
        self.assertEqual(self.run_("jobs", "remove", "9").returncode, 0)
        self.assertEqual(self.job(number)["process"], process)

    def test_unwritable_state(self):
        self.state.write_text("a file")
        self.fail_with(1, ["directory of jobs"], "capture", "-i", "a", "--background", "--dumpcap",
                       self.dumpcap, env=self.environment)
        self.state.unlink()


if __name__ == "__main__":
    unittest.main()
