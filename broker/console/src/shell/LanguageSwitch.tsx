// LanguageSwitch.tsx - the other language, named in itself.
import { prefer, prefs } from "../prefs";
import { useStore } from "../store";
import { text } from "../text";

export function LanguageSwitch() {
    const other = useStore(prefs).language === "fa" ? "en" : "fa";
    const t = text().nav;
    return (
        <button type="button" class="language" lang={other} title={t.languageLabel} onClick={() => prefer({ language: other })}>
            {t.language}
        </button>
    );
}
