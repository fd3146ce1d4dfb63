"""Group D of the catalog: file names that a client may send."""

from tests.hostile.case import Case

AS_IT_IS = "as it is"
REJECTED = "rejected"

_LONG = "x" * 251 + ".png"

NAMES: list[Case[str, str]] = [
    Case(133, "the parent", "../x.png", REJECTED),
    Case(134, "the parent, of Windows", "..\\x.png", REJECTED),
    Case(135, "the parent in the middle", "a/../../x.png", REJECTED),
    Case(136, "from the root", "/etc/passwd", REJECTED),
    Case(137, "of a drive", "C:\\x.png", REJECTED),
    Case(137, "of a share", "\\\\srv\\share", REJECTED),
    Case(138, "the parent, encoded", "%2e%2e%2fx.png", AS_IT_IS),
    Case(139, "the parent, encoded twice", "%252e%252e%252fx.png", AS_IT_IS),
    Case(140, "the parent, encoded too long", "%c0%ae%c0%ae%c0%afx.png", AS_IT_IS),
    Case(141, "letters that look like the parent", "\u2025\uff0fx.png", AS_IT_IS),
    Case(142, "a letter and its mark", "u\u0308.png", "\u00fc.png"),
    Case(142, "a letter with its mark", "\u00fc.png", AS_IT_IS),
    Case(143, "a zero", "a\0.png", REJECTED),
    *(Case(144, f"control character {ord(c):#x}", f"a{c}b.png", REJECTED) for c in "\r\n\t\x1b\x7f\x85\u2028"),
    Case(145, "written from right to left", "a\u202egnp.exe", REJECTED),
    Case(146, "a mark of byte order", "\ufeffa.png", REJECTED),
    Case(146, "a space of no width", "a\u200bb.png", AS_IT_IS),
    Case(148, "a family", "\U0001f468\u200d\U0001f469\u200d\U0001f467.png", AS_IT_IS),
    Case(149, "nothing", "", REJECTED),
    *(Case(150, f"{len(dots)} dots", dots, REJECTED) for dots in (".", "..", "...")),
    Case(151, "spaces", "   ", REJECTED),
    Case(151, "a space at the end", "a.png ", REJECTED),
    Case(151, "a dot at the end", "a.png.", AS_IT_IS),
    *(Case(152, f"the device {name}", name, AS_IT_IS) for name in ("CON", "PRN", "NUL.png", "COM1.txt")),
    *(Case(153, f"for a shell, {text}", text, AS_IT_IS)
      for text in ("-rf.png", "~", "~root.png", "$(id).png", "`id`.png", "a;id|b&c.png", "*.png", "{a,b}.png",
      "!!.png")),
    Case(154, "quotation marks", 'a"; filename*=UTF-8\'\'b.exe; x=".png', AS_IT_IS),
    Case(155, "255 bytes", _LONG, AS_IT_IS),
    Case(155, "256 bytes", "x" + _LONG, REJECTED),
    Case(155, "256 bytes of 64 characters", "\U0001f5bc" * 64, REJECTED),
    *(Case(155, f"{length} bytes", "x" * length, REJECTED) for length in (1023, 1024, 1025)),
    Case(155, "1,024 characters of four bytes", "\U0001f5bc" * 1024, REJECTED),
    Case(156, "512 directories", "d/" * 512 + "x.png", REJECTED),
    *(Case(157, f"a path, {path}", path, REJECTED) for path in ("a//b", "a/./b", "/lead", "trail/")),
    *(Case(158, f"with a meaning, {name}", name, AS_IT_IS)
      for name in ("x.php.png", ".htaccess", ".png", "x.html", "x.svg", "web.config", "index.html", "a.png.exe")),
    Case(161, "what separates parts of an address", "a?b#c%d+e&f=g;h.png", AS_IT_IS),
    Case(162, "of a format string", "{0.__class__}%n%s%x.png", AS_IT_IS),
    Case(162, "of a logger", "${jndi:ldap:x}.png", AS_IT_IS),
    Case(163, "of a key of Redis", "ic:run:*:{tag} a.png", AS_IT_IS),
    Case(163, "of a command of Redis", "a\r\nFLUSHALL\r\n", REJECTED),
    Case(164, "of HTML", "<img src=x onerror=alert(1)>.png", AS_IT_IS),
    Case(164, "of a page's end", "</script><script>alert(1)</script>", REJECTED),
    Case(164, "of SQL", "a'); DROP TABLE images;--.png", AS_IT_IS),
    Case(164, "of a spreadsheet", "=HYPERLINK(A1)+cmd|'calc'!A0.png", AS_IT_IS),
    Case(164, "of a template", "{{7*7}}<%= 7*7 %>.png", AS_IT_IS),
]  # fmt: skip
"""Each with the stored name: another one, the same one, or none."""

NAUGHTY = [
    "undefined", "null", "NULL", "None", "nil", "true", "1/0", "-1", "0x0", "1e100", "NaN", "Infinity", "٣", "1,000",
    "\u2007\u2008", "\u180e", "­", "﷽", "Ω≈ç√∫µ≤≥÷", "ÅÍÎÏ˝ÓÔ", "田中さんにあげて下さい", "﷽﷽﷽﷽", "╯°□°╯︵ ┻━┻",
    "❤️ 💔", "🇺🇸🇷🇺🇸 🇦🇫",
    "\uff11\uff12\uff13", "بأضعافها", "בְּרֵאשִׁית", "\u202dtest", "\u2066test\u2067", "T̴o̴ ̴i̴n̴v̴o̴k̴e̴",
    "˙ɐnbᴉlɐ", "\U0001d413\U0001d421",
    "<script>alert(0)</script>",
    "javascript:alert(1)", "'; DROP TABLE x", "--version", "$HOME", "%x%x%d", "../../../etc/hosts", "C:CON",
    'System("ls")',
    "`touch a`", "<!ENTITY xxe SYSTEM 'file'>", "() { 0; }; touch a", "Craig Cockburn", "İstanbul",
    "power\u0644\u064f\u0644",
    "\ue000", "\uffff", "\U0010ffff", "Ⱥ", "ß", "ﬁ", "Å", "\u0301", "a\u0301" * 80, "%00", "AUX", "\ud800",
    "\udfff\ud83d",
]  # fmt: skip
"""Kinds of the Big List of Naughty Strings: each is stored in its own upload or rejected."""

PATHS: list[Case[str, None]] = [
    Case(133, "the parent", "..", None),
    Case(133, "the parent, encoded", "%2e%2e", None),
    Case(135, "the parent in the middle", "a/%2e%2e/%2e%2e/source", None),
    Case(136, "from the root", "/etc/passwd", None),
    Case(137, "of a share", "%5c%5csrv%5cshare", None),
    Case(138, "the parent, encoded with its slash", "%2e%2e%2fsource", None),
    Case(139, "the parent, encoded twice", "%252e%252e%252fsource", None),
    Case(140, "the parent, encoded too long", "%c0%ae%c0%ae%c0%afsource", None),
    Case(141, "letters that look like the parent", "%e2%80%a5%ef%bc%8fsource", None),
    Case(143, "a zero", "a%00.png", None),
    Case(144, "a line break", "a%0d%0aX-Owned:%20yes", None),
    Case(145, "written from right to left", "%e2%80%aegnp.exe", None),
    Case(147, "half of a character", "%ed%a0%80.png", None),
    Case(149, "nothing", "", None),
    Case(150, "dots", "...", None),
    Case(155, "a thousand bytes", "x" * 1000, None),
    Case(156, "512 directories", "d/" * 512, None),
    Case(157, "slashes", "a//b", None),
    Case(161, "what separates parts of an address", "%3f%23%25%2b%26", None),
    Case(162, "of a format string", "%7b0.__class__%7d%25n%25s", None),
    Case(163, "of a pattern", "*", None),
    Case(164, "of HTML", "%3cscript%3ealert(1)%3c%2fscript%3e", None),
]
"""In an address: below `content`, as the name to delete, as a key, as a context, as an upload, as a run."""
