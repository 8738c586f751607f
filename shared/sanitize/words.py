"""What a lineage can say, in the words that officials see. A code is stable; its words are not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """What was removed and why, in Japanese and English; no content."""

    ja: str
    en: str


# Code → words. Removals first, then what follows from them (statements).
WORDS: dict[str, Word] = {
    "script": Word("スクリプトを削除（開くと動くため）", "script removed: it runs on opening"),
    "event_handler": Word("イベント処理を削除", "event handler removed: it runs script"),
    "form": Word(
        "入力フォームを無効化（情報を送らせるため）", "form disabled: it sends what is typed"
    ),
    "refresh": Word("自動転送を削除", "automatic redirect removed"),
    "frame": Word("埋め込みページを削除", "embedded page or plug-in removed"),
    "external_resource": Word(
        "外部から読み込む指定を削除（開封の追跡に使われるため）",
        "reference loaded from outside removed: it can track the reader",
    ),
    "remote_image": Word(
        "外部の画像を削除（開封の追跡）", "remote image removed: it can track the reader"
    ),
    "style_url": Word("書式の中の外部参照を削除", "style with a reference removed"),
    "link_defanged": Word(
        "リンクを無効化し、本当の行き先を表示", "link disabled, its real target shown"
    ),
    "link_removed": Word("安全でないリンクを削除", "unsafe link removed"),
    "macro": Word("マクロを削除", "macro removed"),
    "macro_sheet": Word("マクロシートを削除", "macro sheet removed"),
    "macro_binding": Word("マクロの呼び出しを削除", "call of a macro removed"),
    "ole_object": Word("埋め込みオブジェクトを削除", "embedded object removed"),
    "activex": Word("ActiveX コントロールを削除", "ActiveX control removed"),
    "dde": Word("DDE（外部プログラムの呼び出し）を削除", "DDE removed: it starts another program"),
    "field": Word("外部を参照するフィールドを結果の文字に置換", "field replaced by its result"),
    "formula": Word("外部を参照する数式を結果の値に置換", "formula replaced by its result"),
    "external_template": Word("外部テンプレートの指定を削除", "external template removed"),
    "external_link": Word("外部ファイルへの参照を削除", "reference to an outside file removed"),
    "custom_ui": Word("独自のメニューを削除", "custom ribbon removed"),
    "unknown_part": Word("安全と確認できない部品を削除", "part of unknown kind removed"),
    "metafile": Word(
        "再生成できない図（EMF・WMF）を削除", "metafile picture removed: not re-encoded"
    ),
    "pdf_javascript": Word("PDF の JavaScript を削除", "PDF JavaScript removed"),
    "pdf_action": Word("PDF の自動動作・起動動作を削除", "PDF action removed"),
    "pdf_embedded": Word("PDF の添付ファイルを削除", "file embedded in a PDF removed"),
    "pdf_media": Word("PDF の動画・3D などを削除", "rich media in a PDF removed"),
    "pdf_xfa": Word("PDF の XFA フォームを削除", "XFA form in a PDF removed"),
    "pdf_signature": Word(
        "PDF の署名を削除（内容が変わるため）", "PDF signature removed: content changed"
    ),
    "pdf_encryption": Word("PDF の権限制限を解除", "permission lock of a PDF removed"),
    "metadata": Word("画像の付随情報（位置情報など）を削除", "metadata of a picture removed"),
    "executable": Word("実行ファイルを削除", "executable removed"),
    "script_file": Word("スクリプトファイルを削除", "script file removed"),
    "csv_formula": Word("CSV の外部呼び出しの式を無効化", "formula in a CSV disabled"),
    "name_cleaned": Word("ファイル名の危険な部分を削除", "unsafe parts of a file name removed"),
    "archive_rebuilt": Word(
        "7z・RAR・LZH の書庫を ZIP に作り直し", "7z, RAR or LZH archive made a ZIP"
    ),
    "symbolic_link": Word("シンボリックリンクを削除", "symbolic link removed"),
    "held_part": Word(
        "無害化できない部分を削除し、原本を隔離", "part that cannot be sanitised removed"
    ),
    "outside_parts": Word(
        "メールの構造の外にあるデータを削除", "data outside the parts of a mail removed"
    ),
    "processing": Word("処理命令・外部定義を削除", "processing instruction or DTD removed"),
    "calendar_attachment": Word(
        "予定に埋め込まれたファイルを削除", "file inside an invitation removed"
    ),
    "signature": Word(
        "電子署名を削除（内容を変更したため）", "signature removed: the content changed"
    ),
    "smime_opaque": Word(
        "S/MIME 署名を外し、中身を取り出し", "content taken out of its S/MIME signature"
    ),
    # statements
    "dkim_broken": Word(
        "本文を変更したため DKIM 署名は検証に失敗します",
        "the body changed: the DKIM signature will no longer verify",
    ),
    "smime_broken": Word(
        "S/MIME 署名は無害化の前に検証してください",
        "the S/MIME signature can only be verified on the original",
    ),
    "pgp_broken": Word(
        "PGP 署名は原本でのみ検証できます", "the PGP signature can only be verified on the original"
    ),
    "office_signature_broken": Word(
        "文書の電子署名は原本でのみ検証できます",
        "the document's signature can only be verified on the original",
    ),
    "pdf_signature_broken": Word(
        "PDF の電子署名は原本でのみ検証できます",
        "the PDF's signature can only be verified on the original",
    ),
}
