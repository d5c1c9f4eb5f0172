# Characters of all planes.
print("héllo wörld ñ 你好 привет مرحبا 😀 👩‍👩‍👧 𝔘𝔫𝔦 \U0010ffff")
