// Logo.tsx - the eight-pointed star of two squares, an old pattern of the city's tiles.
export function Logo() {
    return (
        <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
            <rect class="logo-ground" width="32" height="32" rx="7" />
            <g class="logo-star">
                <rect x="8.5" y="8.5" width="15" height="15" />
                <rect x="8.5" y="8.5" width="15" height="15" transform="rotate(45 16 16)" />
            </g>
            <circle class="logo-heart" cx="16" cy="16" r="2.6" />
        </svg>
    );
}
