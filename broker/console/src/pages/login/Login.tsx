// Login.tsx - a token, and into the window.
import { useId, useState } from "preact/hooks";
import { ApiError } from "../../api/http";
import { login } from "../../session";
import { LanguageSwitch } from "../../shell/LanguageSwitch";
import { ThemeSwitch } from "../../shell/ThemeSwitch";
import { text } from "../../text";
import { Button } from "../../ui/Button";
import { faultText } from "../../ui/Fault";
import { Logo } from "../../ui/Logo";
import { Pattern } from "./Pattern";

function reasonOf(error: unknown): string {
    const t = text().login;
    if (!(error instanceof ApiError)) return String(error);
    if (error.problem.status === 401) return t.refused;
    if (error.problem.code === "WRONG_DOOR") return t.wrongRole;
    if (error.problem.status === 0) return t.unreachable;
    return faultText(error);
}

function TokenForm({ why }: { why?: "refused" }) {
    const t = text().login;
    const id = useId();
    const [token, setToken] = useState("");
    const [shown, setShown] = useState(false);
    const [busy, setBusy] = useState(false);
    const [fault, setFault] = useState(why ? "ended" : "");
    const [error, setError] = useState<unknown>(null);
    const message = error ? reasonOf(error) : fault === "ended" ? t.ended : fault === "empty" ? t.empty : "";

    async function submit(event: Event): Promise<void> {
        event.preventDefault();
        setError(null);
        setFault("");
        if (!token.trim()) return setFault("empty");
        setBusy(true);
        try {
            await login(token.trim());
        } catch (problem) {
            setError(problem);
            setBusy(false);
            document.getElementById(id)?.focus();
        }
    }

    return (
        <form class="login-form" onSubmit={submit} noValidate>
            <h1>{t.title}</h1>
            <p class="lead">{t.lead}</p>
            <div class="field">
                <label for={id}>{t.token}</label>
                <div class="token">
                    <input
                        id={id}
                        dir="ltr"
                        {...(shown ? { type: "text" as const } : { type: "password" as const })}
                        autoComplete="current-password"
                        spellcheck={false}
                        autoFocus
                        value={token}
                        aria-invalid={message !== ""}
                        aria-describedby={id + "-say"}
                        onInput={(e) => setToken(e.currentTarget.value)}
                    />
                    <Button kind="quiet" small pressed={shown} onClick={() => setShown(!shown)}>
                        {shown ? t.hide : t.show}
                    </Button>
                </div>
                <p id={id + "-say"} class={message ? "field-fault" : "field-hint"} role={message ? "alert" : undefined}>
                    {message || t.kept}
                </p>
            </div>
            <Button type="submit" kind="primary" disabled={busy}>{busy ? t.checking : t.submit}</Button>
            <div class="login-how">
                <p>{t.how}</p>
                <pre dir="ltr" tabIndex={0}>{"estelam token new --account duty \\\n  --scopes watch,read,events,operate \\\n  --file /etc/estelam/tokens.yaml"}</pre>
            </div>
        </form>
    );
}

export function Login({ why }: { why?: "refused" }) {
    const t = text();
    document.title = `${t.login.title} · ${t.product}`;
    return (
        <div class="login">
            <div class="login-tools">
                <LanguageSwitch />
                <ThemeSwitch />
            </div>
            <aside class="login-side">
                <Pattern />
                <div class="login-words">
                    <Logo />
                    <p class="login-product">{t.product}</p>
                    <p class="login-motto">{t.login.motto}</p>
                    <p class="login-more">{t.login.mottoMore}</p>
                </div>
            </aside>
            <main class="login-main">
                <TokenForm why={why} />
            </main>
        </div>
    );
}
