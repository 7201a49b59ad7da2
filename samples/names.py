"""First and last names of the sample people by language. `native/latin` where the script is not Latin: the address uses the latter."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

_FIRST = {
    "english": "Olivia Liam Emma Noah Amelia Oliver Ava James Sophia Theodore Isla Henry Mia Lucas Grace William Ruby Jack Chloe George "
    "Freya Leo Ellie Arthur Hannah Samuel Zoe Daniel Maya Ethan",
    "german": "Emilia Noah Mia Matteo Sophia Elias Hannah Finn Lina Leon Ella Paul Jörg Lukas Käthe Jürgen Marlene Felix Frieda Björn",
    "french": "Jade Gabriel Louise Raphaël Alice Léo Chloé Louis Inès Maël Léa Arthur Zoé Jules Anaïs Hugo Camille Théo Éléonore François",
    "spanish": "Lucía Hugo Sofía Mateo Martina Martín María Lucas Julia Leo Paula Daniel Valeria Alejandro Emma Manuel Íñigo Núria Ximena Andrés",
    "italian": "Sofia Leonardo Aurora Francesco Giulia Tommaso Ginevra Edoardo Vittoria Alessandro Beatrice Lorenzo Alice Mattia Noemi Niccolò",
    "portuguese": "Helena Miguel Alice Arthur Laura Gael Maria Théo Valentina Heitor João Inês Antônio Cecília Davi Luísa Tomás Conceição",
    "dutch": "Julia Noah Mila Liam Emma Lucas Sophie Luuk Zoë Finn Nora Daan Tess Sem Saar Levi Renée Thijs",
    "nordic": "Alma Noah Astrid Hugo Freja Oskar Maja Elias Ella Åke Signe Søren Vera Liam Saga Björn Ingrid Emil Asta Lærke",
    "polish": "Zofia Antoni Zuzanna Jan Hanna Aleksander Maja Franciszek Laura Nikodem Julia Leon Oliwia Łukasz Małgorzata Stanisław",
    "turkish": "Zeynep Yusuf Asel Alparslan Defne Göktuğ Elif Ömer Nehir Kerem Çağla Şevval Emir Öykü İrem Barış",
    "indian": "Aarav Ananya Vihaan Diya Arjun Saanvi Reyansh Aadhya Krishna Ira Ishaan Meera Rohan Kavya Dev Priya Nikhil Lakshmi",
    "japanese": "陽葵/himari 蓮/ren 凛/rin 湊/minato 紬/tsumugi 蒼/aoi 結菜/yuina 樹/itsuki 葵/aoi 悠真/yuma 美咲/misaki 大和/yamato さくら/sakura 健太/kenta",
    "korean": "서연/seoyeon 도윤/doyun 지우/jiwoo 서준/seojun 하은/haeun 시우/siwoo 민서/minseo 주원/juwon 수아/sua 하준/hajun 예은/yeeun 지호/jiho",
    "chinese": "怡君/yichun 志明/chihming 雅婷/yating 家豪/chiahao 淑芬/shufen 俊傑/chunchieh 美玲/meiling 宗翰/tsunghan 詩涵/shihhan 承恩/chengen",
    "arabic": "فاطمة/fatima محمد/mohammed مريم/maryam أحمد/ahmed نورة/noura عبدالله/abdullah سارة/sara خالد/khalid ليلى/layla يوسف/yousef",
    "greek": "Μαρία/maria Γιώργος/giorgos Ελένη/eleni Δημήτρης/dimitris Κατερίνα/katerina Νίκος/nikos Σοφία/sofia Κώστας/kostas Άννα/anna Γιάννης/giannis",
}
_LAST = {
    "english": "Smith Johnson Williams Brown Jones Garcia Miller Davis Wilson Taylor Clark Lewis Walker Hall Young King Wright Scott Green "
    "Baker Adams Nelson Carter Mitchell O'Brien Campbell Murphy Reid Fraser Hughes",
    "german": "Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Koch Schäfer Bauer Richter Klein Wolf Schröder "
    "Neumann Schwarz Großmann Huber Gruber",
    "french": "Martin Bernard Dubois Thomas Robert Richard Petit Durand Leroy Moreau Simon Laurent Lefèvre Michel Roux Fournier Girard "
    "Bonnet François Béranger",
    "spanish": "García Rodríguez González Fernández López Martínez Sánchez Pérez Gómez Martín Jiménez Ruiz Hernández Díaz Moreno Muñoz Álvarez "
    "Núñez Ibáñez Ortega",
    "italian": "Rossi Ferrari Russo Bianchi Romano Gallo Costa Fontana Conti Esposito Ricci Bruno De-Luca Moretti Marino Greco",
    "portuguese": "Silva Santos Oliveira Souza Lima Pereira Ferreira Costa Rodrigues Almeida Nascimento Araújo Gonçalves Conceição Simões Brandão",
    "dutch": "de-Jong Jansen de-Vries van-den-Berg van-Dijk Bakker Visser Smit Meijer de-Boer Mulder Bos Vos Peters Hendriks",
    "nordic": "Andersson Johansson Karlsson Nilsson Eriksson Jensen Nielsen Hansen Pedersen Åberg Öberg Lindström Sørensen Kjær Holm Lund",
    "polish": "Nowak Kowalski Wiśniewska Wójcik Kowalczyk Kamińska Lewandowski Zieliński Szymańska Dąbrowski Kozłowska Źrebiec",
    "turkish": "Yılmaz Kaya Demir Şahin Çelik Yıldız Öztürk Aydın Arslan Doğan Kılıç Aslan Çetin Şimşek",
    "indian": "Sharma Patel Singh Kumar Gupta Nair Iyer Reddy Mehta Das Chatterjee Joshi Rao Kapoor Menon Bose",
    "japanese": "佐藤/sato 鈴木/suzuki 高橋/takahashi 田中/tanaka 伊藤/ito 渡辺/watanabe 山本/yamamoto 中村/nakamura 小林/kobayashi 加藤/kato 吉田/yoshida 山田/yamada",
    "korean": "김/kim 이/lee 박/park 최/choi 정/jung 강/kang 조/cho 윤/yoon 장/jang 임/lim",
    "chinese": "陳/chen 林/lin 黃/huang 張/chang 李/lee 王/wang 吳/wu 劉/liu 蔡/tsai 楊/yang",
    "arabic": "الأحمد/alahmad العتيبي/alotaibi الحربي/alharbi الشمري/alshammari القحطاني/alqahtani المنصوري/almansoori الكعبي/alkaabi حسن/hassan",
    "greek": "Παπαδόπουλος/papadopoulos Βλάχος/vlachos Οικονόμου/oikonomou Γεωργίου/georgiou Νικολάου/nikolaou Ιωάννου/ioannou Δημητρίου/dimitriou",
}
_LETTERS = str.maketrans({"ø": "o", "æ": "ae", "å": "a", "ß": "ss", "ł": "l", "ı": "i", "ð": "d", "þ": "th", "'": "", "-": "", " ": ""})


@dataclass(frozen=True, slots=True)
class Name:
    """A name as its bearer writes it, and in the plain letters of an address."""

    shown: str
    plain: str


def _read(words: str) -> tuple[Name, ...]:
    names = []
    for word in words.split():
        native, _, latin = word.partition("/")
        names.append(Name(native.replace("-", " "), latin or plain(native)))
    return tuple(names)


def plain(text: str) -> str:
    """`Käthe` → `kathe`: lower-case ASCII letters for the local part of an address."""
    decomposed = unicodedata.normalize("NFKD", text.lower()).translate(_LETTERS)
    return "".join(letter for letter in decomposed if letter.isascii() and letter.isalnum())


FIRST = {language: _read(words) for language, words in _FIRST.items()}
LAST = {language: _read(words) for language, words in _LAST.items()}
