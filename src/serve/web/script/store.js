// localStorage and sessionStorage as they are where a browser forbids or fills them: what can't be
// kept is forgotten, and nothing else breaks.
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
