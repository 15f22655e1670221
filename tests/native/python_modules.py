#!/usr/bin/python3
"""Runs modules of Python's own test suite alone and under the native engine, and compares each test.

    python_modules.py BOPS [MODULE ...]        all modules below without any

A test that fails alone, or does not run alone, proves nothing and is left out. One that succeeds
alone and not under the engine is tried once more, both ways, since some depend on the time; it is a
difference if it happens again. Exits with 1 if there is one, with 77 if Python's tests are missing.
"""
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

MODULES = """
test_abc test_array test_ast test_asyncio.test_events test_asyncio.test_subprocess
test_asyncio.test_unix_events test_atexit test_audit test_base64 test_bigmem test_binascii test_bool
test_bytes test_bz2 test_capi test_cmath test_code test_codecs test_collections test_complex
test_concurrent_futures test_contextlib test_copy test_coroutines test_csv test_ctypes
test_dataclasses test_decimal test_deque test_descr test_dict test_eintr test_enum test_exceptions
test_faulthandler test_fcntl test_file test_float test_fork1 test_fractions test_functools test_gc
test_generators test_getopt test_glob test_gzip test_hash test_hashlib test_heapq test_hmac test_int
test_io test_ipaddress test_iter test_itertools test_json test_list test_logging test_long test_lzma
test_marshal test_math test_memoryview test_mmap test_multiprocessing_fork
test_multiprocessing_forkserver test_multiprocessing_spawn test_operator test_os test_pickle test_pipes
test_poll test_popen test_posix test_pty test_queue test_random test_range test_re test_resource
test_select test_set test_shelve test_shutil test_signal test_slice test_socket test_sort test_sqlite3
test_statistics test_string test_struct test_subprocess test_sys test_tempfile test_textwrap
test_thread test_threading test_threading_local test_threadsignals test_time test_tuple test_types
test_unicode test_userdict test_uuid test_wait3 test_wait4 test_weakref test_xml_etree test_zipfile
test_zlib
""".split()

SECONDS = 900


def outcomes(command, report):
    """{test: "ok" or what went wrong} as the run tells it; empty if it told nothing."""
    with tempfile.TemporaryDirectory() as scratch:
        try:
            ended = subprocess.run(command + ["--junit-xml", report], cwd=scratch, timeout=SECONDS,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, errors="replace")
        except subprocess.TimeoutExpired:
            return {}, "no end after %d s" % SECONDS
    tests = {}
    try:
        for case in xml.etree.ElementTree.parse(report).iter("testcase"):
            bad = [child.tag for child in case if child.tag in ("error", "failure")]
            skipped = case.find("skipped") is not None or case.get("result") == "skipped"
            tests[case.get("name")] = bad[0] if bad else "skipped" if skipped else "ok"
        os.remove(report)
    except (OSError, xml.etree.ElementTree.ParseError):
        pass
    return tests, "status %d: %s" % (ended.returncode, ended.stdout.strip()[-300:])


def differences(bops, module, scratch):
    """The tests that succeed alone and not under the engine; None where nothing can be compared."""
    python = ["/usr/bin/python3", "-m", "test", module]
    alone, how = outcomes(python, os.path.join(scratch, "alone.xml"))
    good = {test for test, outcome in alone.items() if outcome == "ok"}
    if not good:
        return None, "alone nothing succeeds (%s)" % how
    record = os.path.join(scratch, "record.json")
    counted, how = outcomes([bops, "run", "--collector", "native", "-o", record, "--"] + python,
                            os.path.join(scratch, "counted.xml"))
    bad = {test: counted.get(test, "did not run") for test in good if counted.get(test) != "ok"}
    return bad, "%d tests%s" % (len(good), "; " + how if bad else "")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    bops, modules = os.path.abspath(sys.argv[1]), sys.argv[2:] or MODULES
    if subprocess.run(["/usr/bin/python3", "-c", "import test.test_threading"],
                      stderr=subprocess.DEVNULL).returncode != 0:
        print("Python's own tests are not installed: apt-get install libpython3.11-testsuite")
        sys.exit(77)
    failed, compared = [], 0
    with tempfile.TemporaryDirectory() as scratch:
        for module in modules:
            bad, told = differences(bops, module, scratch)
            if bad:
                again, told = differences(bops, module, scratch)
                bad = {test: how for test, how in (again or {}).items() if test in bad}
            print("%-36s %s" % (module, "differs: " + told if bad else told), flush=True)
            for test, how in sorted((bad or {}).items())[:20]:
                print("    %s: %s" % (test, how), flush=True)
            compared += bad is not None
            failed += [module] if bad else []
    print("%d modules compared, %d differ: %s" % (compared, len(failed), " ".join(failed)))
    sys.exit(1 if failed or not compared else 0)


if __name__ == "__main__":
    main()
