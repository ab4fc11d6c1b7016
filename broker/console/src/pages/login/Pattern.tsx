// Pattern.tsx - eight-pointed stars in rows, as on a tiled wall; nothing but ornament.
export function Pattern() {
    return (
        <svg class="pattern" aria-hidden="true" width="100%" height="100%">
            <defs>
                <pattern id="stars" width="96" height="96" patternUnits="userSpaceOnUse">
                    <g class="pattern-line">
                        <rect x="24" y="24" width="48" height="48" />
                        <rect x="24" y="24" width="48" height="48" transform="rotate(45 48 48)" />
                        <path d="M48 14V0M48 82v14M14 48H0M82 48h14M72 24 96 0M72 72l24 24M24 72 0 96M24 24 0 0" />
                    </g>
                </pattern>
            </defs>
            <rect width="100%" height="100%" fill="url(#stars)" />
        </svg>
    );
}
