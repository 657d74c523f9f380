"""The judge against poems marked by hand: regular ones, the same with one rule broken, and famous irregular ones."""

from __future__ import annotations

import pytest

from gruworks.tasks.generate.verse.checker import annotate, check

REGULAR = {
    "王之渙 登鸛雀樓": ("jueju5", "oblique", "尤", "白日依山盡 黃河入海流 欲窮千里目 更上一層樓"),
    "王維 相思": ("jueju5", "oblique", "支", "紅豆生南國 春來發幾枝 願君多採擷 此物最相思"),
    "盧綸 塞下曲": ("jueju5", "oblique-rhymed", "東", "林暗草驚風 將軍夜引弓 平明尋白羽 沒在石棱中"),
    "李端 聽箏": ("jueju5", "level", "先", "鳴箏金粟柱 素手玉房前 欲得周郎顧 時時誤拂弦"),
    "李商隱 登樂遊原": ("jueju5", "oblique", "元", "向晚意不適 驅車登古原 夕陽無限好 只是近黃昏"),
    "王昌齡 出塞": (
        "jueju7", "level-rhymed", "刪", "秦時明月漢時關 萬里長征人未還 但使龍城飛將在 不教胡馬度陰山"),
    "張繼 楓橋夜泊": (
        "jueju7", "oblique-rhymed", "先", "月落烏啼霜滿天 江楓漁火對愁眠 姑蘇城外寒山寺 夜半鐘聲到客船"),
    "李白 早發白帝城": (
        "jueju7", "level-rhymed", "刪", "朝辭白帝彩雲間 千里江陵一日還 兩岸猿聲啼不住 輕舟已過萬重山"),
    "杜牧 泊秦淮": (
        "jueju7", "level-rhymed", "麻", "煙籠寒水月籠沙 夜泊秦淮近酒家 商女不知亡國恨 隔江猶唱後庭花"),
    "杜甫 江南逢李龜年": (
        "jueju7", "level", "文", "岐王宅裏尋常見 崔九堂前幾度聞 正是江南好風景 落花時節又逢君"),
    "杜甫 春望": (
        "lushi5", "oblique", "侵",
        "國破山河在 城春草木深 感時花濺淚 恨別鳥驚心 烽火連三月 家書抵萬金 白頭搔更短 渾欲不勝簪"),
    "王維 山居秋暝": (
        "lushi5", "level", "尤",
        "空山新雨後 天氣晚來秋 明月松間照 清泉石上流 竹喧歸浣女 蓮動下漁舟 隨意春芳歇 王孫自可留"),
    "王勃 送杜少府之任蜀州": (
        "lushi5", "oblique-rhymed", "真",
        "城闕輔三秦 風煙望五津 與君離別意 同是宦遊人 海內存知己 天涯若比鄰 無為在歧路 兒女共沾巾"),
    "白居易 賦得古原草送別": (
        "lushi5", "level", "庚",
        "離離原上草 一歲一枯榮 野火燒不盡 春風吹又生 遠芳侵古道 晴翠接荒城 又送王孫去 萋萋滿別情"),
    "杜甫 登高": (
        "lushi7", "oblique-rhymed", "灰",
        "風急天高猿嘯哀 渚清沙白鳥飛迴 無邊落木蕭蕭下 不盡長江滾滾來 "
        "萬里悲秋常作客 百年多病獨登臺 艱難苦恨繁霜鬢 潦倒新停濁酒杯"),
    "李商隱 無題": (
        "lushi7", "oblique-rhymed", "寒",
        "相見時難別亦難 東風無力百花殘 春蠶到死絲方盡 蠟炬成灰淚始乾 "
        "曉鏡但愁雲鬢改 夜吟應覺月光寒 蓬山此去無多路 青鳥殷勤為探看"),
    "杜甫 聞官軍收河南河北": (
        "lushi7", "oblique", "陽",
        "劍外忽傳收薊北 初聞涕淚滿衣裳 卻看妻子愁何在 漫卷詩書喜欲狂 "
        "白日放歌須縱酒 青春作伴好還鄉 即從巴峽穿巫峽 便下襄陽向洛陽"),
}  # fmt: skip

# A poem, what is replaced by what, and the one fault that this makes: rule, line, place.
BROKEN = [
    ("杜甫 春望", "木深", "木東", ("用韻", 2, 5)),
    ("杜甫 春望", "木深", "木嫦", ("用韻", 2, 5)),  # not in the table
    ("杜甫 春望", "家書", "嫦書", ("孤平", 6, 1)),  # nor here
    ("杜甫 春望", "國破", "嫦破", None),  # where either tone may stand
    ("王之渙 登鸛雀樓", "黃河", "黃水", ("失對", 2, 2)),
    ("王之渙 登鸛雀樓", "欲窮", "欲到", ("失黏", 3, 2)),
    ("王之渙 登鸛雀樓", "黃河", "白河", ("孤平", 2, 1)),
    ("王之渙 登鸛雀樓", "一層", "高層", ("三平尾", 4, 3)),
    ("王之渙 登鸛雀樓", "千里", "萬里", ("三仄尾", 3, 3)),
    ("王之渙 登鸛雀樓", "依山盡", "依水盡", ("拗不救", 1, 4)),
    ("王之渙 登鸛雀樓", "山盡", "山明", ("平仄", 1, 5)),
    ("王之渙 登鸛雀樓", "入海流", "入海", ("字數", 2, 0)),
    ("王之渙 登鸛雀樓", "欲窮千里目 ", "", ("句數", 0, 0)),
    ("李商隱 登樂遊原", "意不適 驅車登", "意未適 驅車入", ("拗不救", 1, 4)),
    ("李商隱 登樂遊原", "意不適", "意未適", None),  # five obliques, and the remedy in the next line
    ("張繼 楓橋夜泊", "對愁眠", "看愁眠", None),  # 看 has both tones
    ("張繼 楓橋夜泊", "對愁眠", "思愁眠", None),
    ("張繼 楓橋夜泊", "對愁眠", "同愁眠", ("三平尾", 2, 5)),
    ("張繼 楓橋夜泊", "姑蘇", "姑水", ("失黏", 3, 2)),
    ("杜甫 江南逢李龜年", "江南好", "江岸好", ("平仄", 3, 4)),
    ("王勃 送杜少府之任蜀州", "無為", "有為", ("拗不救", 7, 1)),
    ("白居易 賦得古原草送別", "不盡 春風吹", "未盡 春風入", ("拗不救", 3, 4)),
    ("杜甫 登高", "濁酒杯", "濁酒來", ("重韻", 8, 7)),
    ("杜甫 登高", "獨登臺", "獨登樓", ("用韻", 6, 7)),
    ("杜甫 登高", "沙白鳥飛", "沙白飛飛", ("三平尾", 2, 5)),
    ("李商隱 無題", "蠟炬成灰", "蠟炬照灰", ("孤平", 4, 3)),
    ("杜甫 春望", "家書", "舊書", ("孤平", 6, 1)),
]

IRREGULAR = {
    "李白 靜夜思": ("床前明月光 疑是地上霜 舉頭望明月 低頭思故鄉", "失黏"),
    "孟浩然 春曉": ("春眠不覺曉 處處聞啼鳥 夜來風雨聲 花落知多少", "用韻"),
    "柳宗元 江雪": ("千山鳥飛絕 萬徑人蹤滅 孤舟蓑笠翁 獨釣寒江雪", "用韻"),
    "崔顥 黃鶴樓": (
        "昔人已乘黃鶴去 此地空餘黃鶴樓 黃鶴一去不復返 白雲千載空悠悠 "
        "晴川歷歷漢陽樹 芳草萋萋鸚鵡洲 日暮鄉關何處是 煙波江上使人愁", "平仄"),
}  # fmt: skip


@pytest.mark.parametrize("name", REGULAR)
def test_regular_poems_keep_the_rules(name: str) -> None:
    form, pattern, rhyme, text = REGULAR[name]
    for said in (form, ""):
        report = check(text.split(), said)
        assert not report.faults, [str(fault) for fault in report.faults]
        assert (report.form, report.pattern, report.rhyme[-1]) == (form, pattern, rhyme)


@pytest.mark.parametrize(("name", "old", "new", "fault"), BROKEN)
def test_one_broken_rule_is_found_where_it_is(
    name: str, old: str, new: str, fault: tuple[str, int, int] | None
) -> None:
    form, _, _, text = REGULAR[name]
    assert old in text
    lines = text.replace(old, new).split()
    found = check(lines, form).faults
    assert [(one.rule, one.line, one.place) for one in found] == ([fault] if fault else [])
    for one in found:
        assert one.character == (lines[one.line - 1][one.place - 1] if one.place else "")
        assert one.rule in str(one)


@pytest.mark.parametrize("name", IRREGULAR)
def test_irregular_poems_are_told_apart(name: str) -> None:
    text, rule = IRREGULAR[name]
    assert rule in {fault.rule for fault in check(text.split()).faults}


def test_an_acrostic_is_judged() -> None:
    lines = REGULAR["王之渙 登鸛雀樓"][3].split()
    assert check(lines, "jueju5", acrostic="白黃欲更").ok
    (fault,) = check(lines, "jueju5", acrostic="白紅欲更").faults
    assert (fault.rule, fault.line, fault.place, fault.expected) == ("藏頭", 2, 1, "紅")
    assert [one.rule for one in check(lines, "jueju5", acrostic="白黃").faults] == ["藏頭"]


def test_a_poem_of_another_form_is_refused_by_size() -> None:
    lines = REGULAR["王之渙 登鸛雀樓"][3].split()
    assert [fault.rule for fault in check(lines, "lushi5").faults] == ["句數"]
    assert [fault.rule for fault in check(lines, "jueju7").faults] == ["字數"] * 4
    assert [fault.rule for fault in check([]).faults] == ["句數"]


def test_annotate_shows_tones_and_rhymes() -> None:
    shown = annotate(REGULAR["王之渙 登鸛雀樓"][3].split()).splitlines()
    assert shown[:4] == ["白日依山盡", "●●○○●", "黃河入海流", "○○●●○  下平聲十一尤"]
    assert shown[-1] == "jueju5, oblique: keeps the rules"
    assert annotate(["白日依山盡", "嫦娥"]).splitlines()[3].startswith("？○")
