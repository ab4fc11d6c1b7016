// Json.tsx - the API's own words about it, to copy.
import { marksEscaped } from "../../format/foreign";
import { text } from "../../text";
import { Button } from "../../ui/Button";
import { Panel } from "../../ui/Panel";
import { toast } from "../../ui/Toasts";

export function Json({ value }: { value: unknown }) {
    const t = text().inquiry;
    const json = marksEscaped(JSON.stringify(value, null, 2));
    // Browsers have no clipboard for pages that came without TLS from another machine.
    const clipboard: Clipboard | undefined = navigator.clipboard;
    const copy = (): void => void clipboard?.writeText(json).then(() => toast(t.copied), () => {});
    return (
        <Panel title={t.json} actions={clipboard && <Button small icon="copy" onClick={copy}>{t.copy}</Button>}>
            <pre class="json" dir="ltr" tabIndex={0}>{json}</pre>
        </Panel>
    );
}
