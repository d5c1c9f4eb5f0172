// localStorage and sessionStorage. A browser may forbid them, and they may be full: what can't be
// stored is forgotten, and the page works on.
export function keep(storage, key, value) {
    try {
        if (value === null)
            window[storage].removeItem(key);
        else
            window[storage].setItem(key, value);
        return true;
    } catch {
        return false;
    }
}

export function kept(storage, key) {
    try {
        return window[storage].getItem(key);
    } catch {
        return null;
    }
}
